import {
  completeRound,
  encodeLogisticModel,
  finishedModel,
  heartSchema,
  leastOf,
  planOver,
  startTraining,
  type TrainingPlan,
  type TrainingState,
  vectorLength,
  wordsFromBytes,
} from '@potluck/learning'
import { type Hex, PotluckError, sha256, type TabularJob, type Transcript, toHex, transcript } from '@potluck/protocol'
import { decodeDocument } from '../decodeDocument.ts'
import type { JobProgram } from './JobProgram.ts'

/** What the members of a private job agreed on, from the job's document and the chain. */
export function planOf(jobId: number, job: TabularJob, members: readonly Hex[]): TrainingPlan {
  const { l2, maxSteps, noise } = job
  const plan = { job: `job/${jobId}`, members, schema: heartSchema, l2, maxRounds: maxSteps, noise }
  // More than half of the versions' owners is more than half of those that enrolled.
  return job.leastMembers === undefined
    ? plan
    : { ...plan, leastMembers: Math.min(job.leastMembers, Math.max(3, members.length)) }
}

/** The members at these places of the plan's list. Throws WRONG_GROUP for a place beyond it. */
export function membersAt(plan: TrainingPlan, places: readonly number[] | undefined): Hex[] {
  if (!places) return [...plan.members] as Hex[]
  return places.map((place) => {
    const member = plan.members[place]
    if (member !== undefined) return member as Hex
    throw new PotluckError('WRONG_GROUP', `place ${place}: this job has ${plan.members.length} members`)
  })
}

/** The inverse of `membersAt`; undefined in jobs whose sums are all over everybody, which say nothing of groups. */
export function placesOf(plan: TrainingPlan, group: readonly string[]): number[] | undefined {
  if (leastOf(plan) === plan.members.length) return undefined
  return plan.members.flatMap((member, place) => (group.includes(member) ? [place] : []))
}

/** The state after one sum, from the vectors of its group in member order. Throws as `completeRound` and `planOver` do. */
export function followSum(
  plan: TrainingPlan,
  state: TrainingState,
  group: readonly Hex[],
  vectors: readonly Uint8Array[],
): TrainingState {
  const over = planOver(plan, group)
  const words = vectorLength(over, state)
  const masked = group.map((member, i) => [member, wordsFromBytes(vectors[i] ?? new Uint8Array(), words)] as const)
  return completeRound(over, state, new Map(masked))
}

/**
 * Follows a whole private training from its masked vectors: what every member and every validator can do alike. Groups only get smaller
 * (P-63).
 *
 * @throws PotluckError WRONG_GROUP, and what a sum may throw
 */
export function replayTranscript(plan: TrainingPlan, record: Transcript): { state: TrainingState; group: Hex[] } {
  if (record.members.join() !== plan.members.join()) {
    throw new PotluckError(
      'WRONG_GROUP',
      `the transcript is of ${record.members.join(', ')}, the job's members are ${plan.members.join(', ')}`,
    )
  }
  let state = startTraining(plan)
  let before = membersAt(plan, undefined)
  for (const [step, sum] of record.steps.entries()) {
    const group = membersAt(plan, sum.group)
    const back = group.filter((member) => !before.includes(member))
    if (back.length > 0) {
      throw new PotluckError('WRONG_GROUP', `step ${step}: ${back.join(', ')} was left out before and never comes back`)
    }
    state = followSum(plan, { ...state, attempt: sum.attempt }, group, sum.vectors)
    before = group
  }
  return { state, group: before }
}

/** What most claims carry, the first of them where two are as many: one member's word does not make the model. */
function mostCommon(updates: readonly { update: Uint8Array }[]): Uint8Array | undefined {
  const alike = Map.groupBy(updates, ({ update }) => toHex(sha256(update)))
  const most = Math.max(0, ...[...alike.values()].map((claims) => claims.length))
  return [...alike.values()].find((claims) => claims.length === most)?.[0]?.update
}

/**
 * Private training over tables that stay at home. The one round on chain carries the transcript of all masked sums, the same for
 * every member that was in all of them; the model follows from it exactly. A member's own numbers cannot be recomputed, so nothing here
 * is called verified beyond the sums themselves.
 */
export function tabularProgram(jobId: number, job: TabularJob, members: readonly Hex[]): JobProgram {
  const plan = planOf(jobId, job, members)
  const replay = (update: Uint8Array) => replayTranscript(plan, decodeDocument(transcript, update))
  return {
    shares: members.length,
    units: 1,
    steps: 1,
    states: 0,
    isExact: false,
    work: () => Promise.reject(new PotluckError('NOT_RECOMPUTABLE', 'private work is done by the data owners alone')),
    refuseUpdate(update, worker) {
      try {
        const { state, group } = replay(update)
        if (!state.isDone) return 'the training in it is not finished'
        return group.includes(worker) ? undefined : `${worker} was left out of it: only who was in all sums may claim`
      } catch (error) {
        return (error as Error).message
      }
    },
    tensorOf: (update) => update,
    async aggregate({ state, updates }) {
      const update = mostCommon(updates)
      if (!update) return { state, weightsPpm: [], run: [] }
      return {
        state: encodeLogisticModel(finishedModel(plan, replay(update).state)),
        weightsPpm: updates.map(() => Math.floor(1_000_000 / updates.length)),
        run: [],
      }
    },
  }
}
