import { type Engine, modelOf } from '@potluck/engine'
import { type Attack, backdoorSuccess, type Compression, federate, type Rule } from '@potluck/learning'
import { codeOf } from '@potluck/protocol'
import { backdoor, config, dataOfSeed, local, outer, type SeedData, setting, testData } from './attackSetting.ts'

export type AttackCell = {
  readonly rule: Rule
  readonly compression: Compression
  readonly attack: Attack
  /** How many of the clients lie. */
  readonly attackers: number
  readonly seed: number
  /** Without the outer momentum that all other cells have. */
  readonly isUnsmoothed?: true
  /** Rows of the public pool, where it is not the usual one. */
  readonly pool?: number
  /** Nobody but one who trains on the public pool. */
  readonly isPoolAlone?: true
}

/** What came of one run. Rates from 0 to 1. */
export type AttackOutcome = {
  readonly accuracy: number
  /** Part of the honest updates, over all rounds, that had no weight at all. */
  readonly zeroed: number
  /** How often triggered test rows of other classes were taken for the target. */
  readonly backdoorSuccess: number
  /** Why the run ended early: a code. Its accuracy then is that of guessing. */
  readonly failed?: string
}

let latest: { key: string; data: SeedData } | undefined

/** One training run of the grid, a pure function of the cell. */
export async function runAttackCell(engine: Engine, cell: AttackCell): Promise<AttackOutcome> {
  const key = `${cell.seed} ${cell.pool ?? ''}`
  if (latest?.key !== key) latest = { key, data: dataOfSeed(cell.seed, cell.pool) }
  const { seed, reference, order } = latest.data
  const clients = cell.isPoolAlone ? [{ id: 'pool', data: reference }] : latest.data.clients
  const liars = order.slice(0, cell.attackers)
  const rounds = federate(engine, {
    ...{
      config,
      local,
      clients,
      seed,
      ...(cell.isUnsmoothed ? {} : { outer }),
      rounds: setting.rounds,
      evaluateEvery: setting.rounds,
    },
    ...{ rule: cell.rule, compression: cell.compression, validation: testData() },
    ...(JSON.stringify(cell.rule).includes('reference') ? { reference } : {}),
    ...(liars.length > 0 ? { attackers: { of: liars, attack: cell.attack } } : {}),
  })
  let [zeroed, honest] = [0, 0]
  try {
    for (;;) {
      const next = await rounds.next()
      if (next.done) {
        const { parameters, evaluation } = next.value
        const success = await backdoorSuccess(engine, modelOf(config), { parameters }, testData(), backdoor)
        return { accuracy: evaluation?.accuracy ?? 0, zeroed: zeroed / honest, backdoorSuccess: success }
      }
      next.value.members.forEach((member, i) => {
        if (liars.includes(member)) return
        honest++
        if (next.value.weights[i] === 0) zeroed++
      })
    }
  } catch (error) {
    // A model that an attack drove beyond all numbers is a result, not a fault of the bench.
    if (codeOf(error) !== 'NAN') throw error
    return { accuracy: 0.1, zeroed: honest > 0 ? zeroed / honest : 0, backdoorSuccess: 0, failed: 'NAN' }
  }
}
