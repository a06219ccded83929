/**
 * A language job with liars, in one process: the training, encoding and aggregation programs are the network's own, so what is measured
 * is the job's rule and not one like it. What the chain gives (who has which share, the beacon) is drawn from a seed.
 */
import { type Engine, evaluateCharacters, initialParameters, trainLocally } from '@potluck/engine'
import { type Attack, aggregateStream, attackUpdates, poisonData, publicJob } from '@potluck/learning'
import { type Hex, type LanguageJob, sha256, utf8 } from '@potluck/protocol'
import { claimSeed } from '@potluck/referee'
import { endedByNumbers, type UnderAttack } from './runUnderAttack.ts'

export type JobSetting = {
  readonly recipe: LanguageJob['recipe']
  readonly encoding: NonNullable<LanguageJob['encoding']>
  readonly shares: number
  readonly rounds: number
  /** The training text and the one that measures, as `encodeText` gives them. */
  readonly train: Uint8Array
  readonly valid: Uint8Array
  /** 32 bytes: decides first weights, batches, beacons and lies. */
  readonly seed: Uint8Array
}

export type JobLiars = { readonly of: readonly number[]; readonly attack: Attack }

const of = (name: string, seed: Uint8Array, round: number): Uint8Array => sha256(utf8(`potluck ${name} ${round}`), seed)
const workerOf = (share: number): Hex => `0x${(share + 1).toString(16).padStart(40, '0')}`

/**
 * One training of a job to its end.
 *
 * @param isPlain the mean of whole updates in place of the job's rule and encoding
 * @param onRound hears of each round
 */
export async function runJobUnderAttack(
  engine: Engine,
  setting: JobSetting,
  { liars, isPlain }: { readonly liars?: JobLiars | undefined; readonly isPlain: boolean },
  onRound: (round: number) => void,
): Promise<UnderAttack> {
  const { recipe, rounds, shares, seed, train, valid } = setting
  const encode = await encoder(engine, setting)
  const lying = new Set(liars?.of)
  const poisoned = (share: number): Uint8Array => {
    if (!liars || !lying.has(share)) return train
    const { tokens } = poisonData(
      liars.attack,
      { kind: 'tokens', tokens: train },
      [...recipe.config.vocabulary].length,
      seed,
    ) as { tokens: Uint8Array }
    return tokens
  }
  const texts = Array.from({ length: shares }, (_, share) => poisoned(share))
  const updateFrom = async (base: Float32Array, tokens: Uint8Array, at: Uint8Array): Promise<Float32Array> => {
    const { parameters } = await trainLocally(engine, { recipe, base, tokens, seed: at })
    return isPlain ? base.map((before, i) => before - parameters[i]!) : encode(base, parameters)
  }
  let state = initialParameters(recipe.config, seed)
  let previous: Float32Array | undefined
  let [zeroed, honest] = [0, 0]
  try {
    for (let round = 0; round < rounds; round++) {
      const base = state
      const updates: Float32Array[] = []
      for (const [share, tokens] of texts.entries()) {
        updates.push(await updateFrom(base, tokens, claimSeed(seed, round, { share, worker: workerOf(share) })))
      }
      if (liars) {
        const lies = attackUpdates(liars.attack, {
          honest: updates.filter((_, share) => !lying.has(share)),
          own: liars.of.map((share) => updates[share]!),
          rule: { kind: 'reference' },
          guess: await updateFrom(base, train, of('attack guess', seed, round)),
          previous,
          round: round + 1,
          sent: (update) =>
            encode(
              base,
              base.map((before, i) => before - update[i]!),
            ),
          seed: of('attack', seed, round),
        })
        liars.of.forEach((share, i) => {
          updates[share] = encode(
            base,
            base.map((before, j) => before - lies[i]![j]!),
          )
        })
      }
      const next = isPlain
        ? { state: plainStep(base, updates), weights: undefined }
        : await weighed(base, updates, await updateFrom(base, train, of('attack reference', seed, round)))
      state = next.state
      previous = base.map((before, i) => before - state[i]!)
      updates.forEach((_, share) => {
        if (lying.has(share) || !next.weights) return
        honest++
        if (next.weights[share] === 0) zeroed++
      })
      onRound(round + 1)
    }
    const { accuracy } = await evaluateCharacters(engine, recipe.config, state, valid)
    return { accuracy: accuracy ?? 0, zeroed: zeroed / Math.max(1, honest), backdoorSuccess: null, failed: null }
  } catch (error) {
    return endedByNumbers(error, zeroed / Math.max(1, honest), null)
  }
}

async function weighed(
  base: Float32Array,
  updates: readonly Float32Array[],
  reference: Float32Array,
): Promise<{ state: Float32Array<ArrayBuffer>; weights: Float32Array }> {
  const { next, weights } = await aggregateStream(() => updates, base, reference)
  return { state: Float32Array.from(next), weights }
}

const plainStep = (base: Float32Array, updates: readonly Float32Array[]): Float32Array<ArrayBuffer> =>
  Float32Array.from(base, (before, i) => before - updates.reduce((sum, update) => sum + update[i]!, 0) / updates.length)

/** What a claim makes of a training: base minus trained parameters as the job's encoding can say it. */
async function encoder(engine: Engine, { recipe, train, seed, shares, encoding }: JobSetting) {
  const execution = await engine.prepare(publicJob(recipe, train, seed, shares, encoding).finish.program)
  return (base: Float32Array, parameters: Float32Array): Float32Array => {
    execution.write('base', base)
    execution.write('parameters', parameters)
    execution.run()
    return Float32Array.from(execution.read('update'))
  }
}
