/**
 * Training one model over tables that stay with their owners, seen from one member: the caller moves messages, everything
 * else is decided here. A round is one masked sum. Round 0 adds up scaling statistics, each later round is one Newton step.
 *
 *   state = startTraining(plan)
 *   until state.isDone:
 *     publish roundKeys(plan, state, secret).publicKey; collect the keys of all members (checked to be theirs)
 *     { state, masked } = contribute(plan, state, ...); save state; publish masked; collect all masked vectors
 *     state = completeRound(plan, state, vectors)      or, when somebody is gone: state = retryRound(state)
 *                                                      and, where the plan allows it, a smaller plan = planOver(plan, group)
 *   model = finishedModel(plan, state)
 *
 * Every member, and anybody who holds the masked vectors, gets the same state to the bit. The state is plain JSON.
 */
import { concatBytes, PotluckError, sha256, toHex, uint64, utf8 } from '@potluck/protocol'
import { decodeFixed, encodeFixed, type FixedPoint } from '../secureSum/fixedPoint.ts'
import {
  checkGroup,
  deriveMaskKeys,
  type MaskKeys,
  maskVector,
  type SumContext,
  sumMasked,
} from '../secureSum/maskedSum.ts'
import type { LogisticModel } from './logisticModel.ts'
import { applyNewton, localNewtonVector, type NewtonState, newtonVectorLength, startNewton } from './newton.ts'
import {
  boundedNewtonVector,
  boundedStatistics,
  NOISY_FRACTION_BITS,
  noisyNewtonLength,
  noisyNewtonStep,
  noisyScaling,
  noisyStatisticsLength,
  noisyWords,
  type RowNoise,
} from './noisySums.ts'
import { rowsOfAttempt } from './rowsOfAttempt.ts'
import { localStatistics, type Scaling, scalingFromSum } from './scaling.ts'
import type { TableRow } from './tableRow.ts'
import { inputNames, type TableSchema } from './tableSchema.ts'
import { checkLeast } from './trainingGroup.ts'

/**
 * What all members agreed on; `members` are those of the sum at hand. `job` is unique for this training; after `maxRounds` Newton rounds
 * the weights are final.
 */
export type TrainingPlan = {
  readonly job: string
  readonly members: readonly string[]
  readonly schema: TableSchema
  readonly l2: number
  readonly maxRounds: number
  /** Hides single rows in every sum; without it nothing does but the other rows. */
  readonly noise?: RowNoise | undefined
  /** How few members a sum may have when others stay away (L-88); all of them when left out. */
  readonly leastMembers?: number | undefined
}

export type TrainingState = {
  /** 0: scaling statistics; from 1: Newton. */
  readonly round: number
  /** From 1; a retry counts up and uses fresh keys and fresh updates. */
  readonly attempt: number
  readonly scaling: Scaling | null
  readonly newton: NewtonState
  readonly isDone: boolean
  /** The keys this member's vector of the current attempt was masked with, once it exists. */
  readonly sentUnder: string | null
}

/**
 * The L2 weight of the heart model: of 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3 and 1, the one with the lowest log loss in 50
 * five-fold cross-validations of the training rows of FLamby's split. The `heart` bench repeats the choice and fails on another.
 */
export const heartL2 = 0.05

/** The state before the first round. Throws BAD_GROUP for fewer than three members, BAD_PLAN for numbers that make no sense. */
export function startTraining(plan: TrainingPlan): TrainingState {
  checkGroup(plan.members)
  if (!(plan.l2 >= 0) || !Number.isFinite(plan.l2) || !Number.isInteger(plan.maxRounds) || plan.maxRounds < 1) {
    throw new PotluckError(
      'BAD_PLAN',
      `expected a finite l2 of at least 0 and at least one round, got ${plan.l2} and ${plan.maxRounds}`,
    )
  }
  const { noise, members } = plan
  const isNoise = noise === undefined || (noise.multiplier > 0 && noise.multiplier <= 1000)
  if (
    !isNoise ||
    (noise && !(Number.isInteger(noise.dishonest) && noise.dishonest >= 0 && noise.dishonest < members.length))
  ) {
    throw new PotluckError(
      'BAD_PLAN',
      `expected a noise multiplier above 0, at most 1000, and fewer dishonest than the ${members.length} members, got ${noise?.multiplier} and ${noise?.dishonest}`,
    )
  }
  checkLeast(plan)
  const newton = startNewton(inputNames(plan.schema).length)
  return { round: 0, attempt: 1, scaling: null, newton, isDone: false, sentUnder: null }
}

const contextOf = (plan: TrainingPlan, state: TrainingState): SumContext => ({
  job: plan.job,
  round: state.round,
  attempt: state.attempt,
})

/** How many words a masked vector of this round has: what a receiver checks before it reads one. */
export function vectorLength(plan: TrainingPlan, state: TrainingState): number {
  const inputs = inputNames(plan.schema).length
  if (plan.noise) return 1 + (state.round === 0 ? noisyStatisticsLength(inputs) : noisyNewtonLength(inputs))
  return state.round === 0 ? 1 + 2 * inputs : newtonVectorLength(inputs)
}

/**
 * Squares of raw values are large and need few places: 2^43 in all with steps of 1e-6. Newton sums are over inputs scaled to
 * about one and are wanted precisely: 2^31 in all with steps of 2e-10. What is noised anyway is not.
 */
const formatOf = (plan: TrainingPlan, state: TrainingState): FixedPoint => ({
  fractionBits: plan.noise ? NOISY_FRACTION_BITS : state.round === 0 ? 20 : 32,
  members: plan.members.length,
})

/** This member's keys for the current attempt; publish only `publicKey`, signed by the member. */
export function roundKeys(plan: TrainingPlan, state: TrainingState, secret: Uint8Array): MaskKeys {
  return deriveMaskKeys(secret, contextOf(plan, state))
}

function checkKeys(plan: TrainingPlan, publicKeys: ReadonlyMap<string, Uint8Array>): string {
  const members = checkGroup(plan.members)
  const ids = checkGroup([...publicKeys.keys()])
  if (ids.join('\n') !== members.join('\n')) {
    throw new PotluckError(
      'WRONG_GROUP',
      `this job's members are ${members.join(', ')}, the keys are of ${ids.join(', ')}: an owner answers only the group it approved`,
    )
  }
  const parts = members.flatMap((id) => [uint64(utf8(id).length), utf8(id), publicKeys.get(id) as Uint8Array])
  return toHex(sha256(concatBytes(...parts)))
}

/**
 * This member's masked vector for the current attempt, and the state to save before it is sent.
 *
 * The same call gives the same bytes again (a crash between saving and sending costs nothing). With other keys it throws:
 * the difference of two maskings under chosen keys would show the update (L-12).
 *
 * @param own `secret` at least 32 random bytes kept by the member for this job; `rows` its training rows
 * @throws PotluckError UPDATE_ALREADY_SENT, TRAINING_DONE, NO_ROWS, WRONG_GROUP, NO_HEADROOM, BAD_PUBLIC_KEY, NOT_A_MEMBER
 */
export function contribute(
  plan: TrainingPlan,
  state: TrainingState,
  own: { self: string; secret: Uint8Array; rows: readonly TableRow[] },
  publicKeys: ReadonlyMap<string, Uint8Array>,
): { state: TrainingState; masked: BigUint64Array } {
  if (state.isDone) throw new PotluckError('TRAINING_DONE', 'the model is finished: read it with finishedModel')
  const inputs = inputNames(plan.schema).length
  if (own.rows.length === 0 || own.rows.some((row) => row.inputs.length !== inputs)) {
    throw new PotluckError(
      'NO_ROWS',
      `expected training rows with ${inputs} inputs, got ${own.rows.length} rows: read the table with the schema of the job`,
    )
  }
  const sentUnder = checkKeys(plan, publicKeys)
  if (state.sentUnder !== null && state.sentUnder !== sentUnder) {
    throw new PotluckError(
      'UPDATE_ALREADY_SENT',
      `round ${state.round}, attempt ${state.attempt} was already answered under other keys: start a new attempt`,
      { round: state.round, attempt: state.attempt },
      { remedy: 'retry' },
    )
  }
  const words = plan.noise ? noisyVector(plan, plan.noise, state, own) : plainVector(plan, state, own)
  const masked = maskVector(words, contextOf(plan, state), own.self, roundKeys(plan, state, own.secret), publicKeys)
  return { state: { ...state, sentUnder }, masked }
}

type Own = { readonly secret: Uint8Array; readonly rows: readonly TableRow[] }

function plainVector(plan: TrainingPlan, state: TrainingState, { secret, rows: all }: Own): BigUint64Array {
  const rows = rowsOfAttempt(all, contextOf(plan, state), secret)
  const values =
    state.scaling === null ? localStatistics(rows) : localNewtonVector(rows, state.newton.weights, state.scaling)
  return encodeFixed(values, formatOf(plan, state))
}

/**
 * All rows in every attempt: which are left out would depend on how many there are. The last word is 1, without noise: the sum then
 * says whether the masks cancelled.
 */
function noisyVector(plan: TrainingPlan, noise: RowNoise, state: TrainingState, { secret, rows }: Own): BigUint64Array {
  const values =
    state.scaling === null
      ? boundedStatistics(rows, plan.schema)
      : boundedNewtonVector(rows, state.newton.weights, state.scaling)
  const format = formatOf(plan, state)
  const words = noisyWords(values, noise, format, contextOf(plan, state), secret)
  const vector = new BigUint64Array(words.length + 1)
  vector.set(words)
  vector[words.length] = 1n << BigInt(format.fractionBits)
  return vector
}

/** The same round again, after a member fell out or a sum was noise: fresh keys, fresh updates (L-08). */
export function retryRound(state: TrainingState): TrainingState {
  return { ...state, attempt: state.attempt + 1, sentUnder: null }
}

/**
 * The state after the round, from the masked vectors of all members.
 *
 * @throws PotluckError MEMBER_MISSING, BAD_LENGTH, SUM_IS_NOISE (remedy: `retryRound`): what arrived was masked for another
 *   group, round or attempt; a true sum holds a whole number of rows, noise passes for one once in four billion times
 */
export function completeRound(
  plan: TrainingPlan,
  state: TrainingState,
  masked: ReadonlyMap<string, BigUint64Array>,
): TrainingState {
  if (state.isDone) throw new PotluckError('TRAINING_DONE', 'the model is finished: read it with finishedModel')
  const sum = decodeFixed(sumMasked(masked, plan.members), formatOf(plan, state))
  if (sum.length !== vectorLength(plan, state)) {
    throw new PotluckError(
      'BAD_LENGTH',
      `round ${state.round} adds up ${vectorLength(plan, state)} words, got ${sum.length}`,
      { words: sum.length },
    )
  }
  const count = state.round === 0 && !plan.noise ? sum[0] : sum[sum.length - 1]
  const most = plan.noise ? plan.members.length : 4294967295
  if (count === undefined || !Number.isInteger(count) || count < plan.members.length || count > most) {
    throw new PotluckError(
      'SUM_IS_NOISE',
      `the masks did not cancel (${plan.noise ? 'members' : 'row count'} ${count}): members used different keys, rounds or attempts; start a new attempt`,
      { round: state.round, attempt: state.attempt },
      { remedy: 'retry' },
    )
  }
  const next = { ...state, round: state.round + 1, attempt: 1, sentUnder: null }
  const numbers = plan.noise ? sum.subarray(0, -1) : sum
  if (state.scaling === null) {
    return { ...next, scaling: plan.noise ? noisyScaling(numbers, plan.schema) : scalingFromSum(numbers) }
  }
  const newton = plan.noise
    ? noisyNewtonStep(numbers, state.newton, plan.l2, plan.noise.multiplier)
    : applyNewton(numbers, state.newton, plan.l2)
  return { ...next, newton, isDone: newton.converged || state.round >= plan.maxRounds }
}

/** The model of a finished training. Throws TRAINING_OPEN before that. */
export function finishedModel(plan: TrainingPlan, state: TrainingState): LogisticModel {
  if (!state.isDone || state.scaling === null) {
    throw new PotluckError('TRAINING_OPEN', `training stands at round ${state.round}: complete it first`)
  }
  return {
    schema: plan.schema.name,
    inputs: inputNames(plan.schema),
    scaling: state.scaling,
    weights: state.newton.weights,
  }
}
