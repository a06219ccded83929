import { type Engine, modelOf, type TrainingRecipe } from '@potluck/engine'
import { federateToEnd, localTrainer } from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import { config, dataOfSeed, local, outer, setting } from './attackSetting.ts'

/** One seed, looked at in every fifth round. */
const [SEED, EVERY] = [3, 5]

/** Longer and broader trainings of the reference than a client's. */
const longer: Readonly<Record<string, TrainingRecipe>> = {
  'reference of 10 × 200 rows': { ...local, batch: 200 },
  'reference of 40 × 100 rows': { ...local, steps: 40, batch: 100 },
  'reference of 80 × 100 rows': { ...local, steps: 80, batch: 100 },
}

/**
 * Why the rule has a margin: which part of the honest updates points away from the reference as it is, at all and by more than the margin,
 * from one trained longer, and from the mean of the honest updates themselves. A run of the default rule with nobody lying; the other references are looked at, not used.
 */
export async function unheardUpdates(engine: Engine): Promise<Record<string, number>> {
  const { seed, clients, reference: pool } = dataOfSeed(SEED)
  const trainers = await Promise.all(
    Object.entries(longer).map(
      async ([name, recipe]) => [name, await localTrainer(engine, modelOf(config), recipe)] as const,
    ),
  )
  const opposed = new Map<string, number>()
  let counted = 0
  await federateToEnd(engine, {
    ...{ config, local, outer, clients, seed, rounds: setting.rounds, reference: pool },
    rule: { kind: 'reference' },
    onUpdates: async ({ round, base, updates, weights, reference }) => {
      if (round % EVERY !== 0 || !reference) return
      counted += updates.length
      const directions: [string, Float32Array][] = [
        ['reference', reference],
        ['mean of all honest updates', base.map((_, j) => updates.reduce((sum, update) => sum + update[j]!, 0))],
      ]
      for (const [name, trainer] of trainers) {
        const task = { base, data: pool, seed: sha256(utf8(`${name} ${round}`)) }
        directions.push([name, (await trainer.train(task)).update])
      }
      const note = (name: string, count: number): void => void opposed.set(name, (opposed.get(name) ?? 0) + count)
      note('reference by more than the margin', weights.filter((weight) => weight === 0).length)
      for (const [name, direction] of directions)
        note(name, updates.filter((update) => !(dot(update, direction) > 0)).length)
    },
  })
  return Object.fromEntries([...opposed].map(([name, count]) => [name, count / counted]))
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}
