/** How far a member of a private job has come: kept on disk, so that nothing is answered twice after a crash (L-12). */
import { encode } from '@ipld/dag-cbor'
import { leastOf, retryRound, startTraining, type TrainingPlan, type TrainingState } from '@potluck/learning'
import { codeOf, equalBytes, fromHex, type Hex, PotluckError, sha256, sumRecord, toHex } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import { decodeDocument } from '../decodeDocument.ts'
import type { JobView } from '../JobView.ts'
import { followSum, membersAt, placesOf } from '../program/tabularProgram.ts'
import { isSameGroup } from '../round/sumGroup.ts'
import type { HeardSums, OfGroup } from './heardSums.ts'

export type Progress = {
  state: TrainingState
  /** Attempt that completed the step before; 0 at the first. */
  sumAttempt: number
  /** Whom we sum with in the present attempt; fixed before its key is said. */
  group: Hex[]
  /** The last group we answered: nobody outside takes part in a sum with us any more. */
  bound: Hex[]
  /** Block with the vectors of the step before, where groups may get smaller. */
  sum?: Hex
  /** Masked vectors of completed steps in member order of their group, as hex. */
  steps: { attempt: number; group?: Hex[]; vectors: Hex[] }[]
  sinceMs: number
}

const keyOf = (view: JobView): string => `private/${view.job}/${view.round}/${view.baseRoot}`

export function loadProgress(view: JobView, plan: TrainingPlan): Progress {
  const all = membersAt(plan, undefined)
  const saved = view.ports.disk.get(keyOf(view))
  if (saved) return Object.assign({ group: all, bound: all }, JSON.parse(saved) as Progress)
  return { state: startTraining(plan), sumAttempt: 0, group: all, bound: all, steps: [], sinceMs: view.nowMs }
}

export const saveProgress = (view: JobView, progress: Progress): void =>
  view.ports.disk.set(keyOf(view), JSON.stringify(progress))

/** The step that the attempt completed, from the vectors of its group; or the next attempt where they do not add up. */
async function complete(
  view: JobView,
  plan: TrainingPlan,
  progress: Progress,
  { attempt, group, vectors }: { attempt: number; group: Hex[]; vectors: Uint8Array[] },
): Promise<Progress> {
  const { job, ports } = view
  const step = progress.state.round
  try {
    const state = followSum(plan, { ...progress.state, attempt }, group, vectors)
    ports.log('info', 'masked sum complete', { job, step, attempt, members: group.length })
    const places = placesOf(plan, group)
    const next: Progress = {
      state,
      sumAttempt: attempt,
      group: progress.bound,
      bound: progress.bound,
      steps: [...progress.steps, { attempt, ...(places && { group }), vectors: vectors.map(toHex) }],
      sinceMs: view.nowMs,
    }
    if (!places) return next
    const record = encode({ type: 'sum', job, step, attempt, group: places, vectors })
    await ports.store.put(record, RAW)
    return { ...next, sum: toHex(sha256(record)) }
  } catch (error) {
    if (codeOf(error) !== 'SUM_IS_NOISE' && codeOf(error) !== 'BAD_LENGTH') throw error
    ports.log('warn', 'masked sum refused', { job, step, attempt, why: String(error) })
    return { ...progress, state: retryRound(progress.state), sinceMs: view.nowMs }
  }
}

/** Our own answer in an attempt at the present step: its group is the only one that the attempt can complete with us. */
const ownAnswer = (view: JobView, heard: HeardSums, { state }: Progress, attempt: number) =>
  heard.masked.find(
    ({ node, body }) => node === view.identity.node && body.step === state.round && body.attempt === attempt,
  )

/** Takes the step with the attempt given, or starts the next attempt when its vectors do not add up; unchanged while one is missing. */
export async function takeStep(
  view: JobView,
  plan: TrainingPlan,
  progress: Progress,
  heard: HeardSums,
  attempt: number,
): Promise<Progress> {
  const group = ownAnswer(view, heard, progress, attempt)?.group
  if (!group) return progress
  const answers = vectorsOf(heard, progress.state.round, attempt, group)
  const vectors = group.map((member) => answers.get(member))
  if (!vectors.every((vector) => vector !== undefined)) return progress
  return complete(view, plan, progress, { attempt, group, vectors })
}

const vectorsOf = (heard: HeardSums, step: number, attempt: number, group: readonly Hex[]): Map<Hex, Uint8Array> =>
  new Map(
    heard.masked
      .filter((answer) => answer.body.step === step && answer.body.attempt === attempt)
      .filter((answer) => isSameGroup(answer.group, group))
      .map(({ node, body }) => [node, body.vector]),
  )

/**
 * Takes the step from the block of a member that has all its vectors, though whose is missing here may be gone for good (P-63).
 * Unchanged when the block cannot be had, or is not of a sum that we answered with the vectors that we heard.
 */
export async function takeRecord(
  view: JobView,
  plan: TrainingPlan,
  progress: Progress,
  heard: HeardSums,
  ahead: OfGroup<'maskKey'>,
): Promise<Progress> {
  const { job, ports } = view
  const { sumAttempt: attempt, sum } = ahead.body
  const group = ownAnswer(view, heard, progress, attempt)?.group
  if (!sum || !group || leastOf(plan) === plan.members.length) return progress
  const step = progress.state.round
  try {
    const bytes = await ports.fetch(sum, RAW, view.sources(view.directory.urlOf(ahead.node)))
    const record = decodeDocument(sumRecord, bytes)
    const isOurs = record.job === job && record.step === step && record.attempt === attempt
    if (!isOurs || record.group?.join() !== placesOf(plan, group)?.join()) {
      throw new PotluckError('WRONG_GROUP', 'its block is of another sum')
    }
    for (const [member, vector] of vectorsOf(heard, step, attempt, group)) {
      if (!equalBytes(vector, record.vectors[group.indexOf(member)] ?? new Uint8Array()))
        throw new PotluckError('WRONG_GROUP', `its block has another vector of ${member} than that member sent`)
    }
    return await complete(view, plan, progress, { attempt, group, vectors: record.vectors })
  } catch (error) {
    ports.log('debug', 'sum of another member not taken', { job, step, of: ahead.node, why: String(error) })
    return progress
  }
}

/** The step again, as this attempt or a later one, over the group given. */
export function againWith(view: JobView, progress: Progress, attempt: number, group: Hex[]): Progress {
  let { state } = progress
  while (state.attempt < attempt) state = retryRound(state)
  return { ...progress, state, group, sinceMs: view.nowMs }
}

/** The transcript of a finished training, the same for all members of its last group. */
export const transcriptOf = (view: JobView, plan: TrainingPlan, { steps }: Progress): Uint8Array =>
  encode({
    type: 'transcript',
    job: view.job,
    members: [...plan.members],
    steps: steps.map(({ attempt, group, vectors }) => {
      const places = group && placesOf(plan, group)
      return { attempt, ...(places && { group: places }), vectors: vectors.map((vector) => fromHex(vector)) }
    }),
  })
