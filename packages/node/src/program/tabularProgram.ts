import {
  completeRound,
  encodeLogisticModel,
  finishedModel,
  heartSchema,
  startTraining,
  type TrainingPlan,
  type TrainingState,
  vectorLength,
  wordsFromBytes,
} from '@potluck/learning'
import { type Hex, PotluckError, type TabularJob, type Transcript, transcript } from '@potluck/protocol'
import { decodeDocument } from '../decodeDocument.ts'
import type { JobProgram } from './JobProgram.ts'

/** What the members of a private job agreed on, from the job's document and the chain. */
export function planOf(jobId: number, job: TabularJob, members: readonly Hex[]): TrainingPlan {
  return { job: `job/${jobId}`, members, schema: heartSchema, l2: job.l2, maxRounds: job.maxSteps, noise: job.noise }
}

/** Follows a whole private training from its masked vectors: what every member and every validator can do alike. */
export function replayTranscript(plan: TrainingPlan, record: Transcript): TrainingState {
  if (record.members.join() !== plan.members.join()) {
    throw new PotluckError(
      'WRONG_GROUP',
      `the transcript is of ${record.members.join(', ')}, the job's members are ${plan.members.join(', ')}`,
    )
  }
  let state = startTraining(plan)
  for (const { attempt, vectors } of record.steps) {
    const words = vectorLength(plan, state)
    const masked = new Map(
      plan.members.map((member, i) => [member, wordsFromBytes(vectors[i] ?? new Uint8Array(), words)]),
    )
    state = completeRound(plan, { ...state, attempt }, masked)
  }
  return state
}

/**
 * Private training over tables that stay at home. The one round on chain carries the transcript of all masked sums, the same for
 * every member; the model follows from it exactly. A member's own numbers cannot be recomputed, so nothing here is called verified
 * beyond the sums themselves.
 */
export function tabularProgram(jobId: number, job: TabularJob, members: readonly Hex[]): JobProgram {
  const plan = planOf(jobId, job, members)
  const replay = (update: Uint8Array): TrainingState => replayTranscript(plan, decodeDocument(transcript, update))
  return {
    shares: members.length,
    units: 1,
    steps: 1,
    states: 0,
    isExact: false,
    work: () => Promise.reject(new PotluckError('NOT_RECOMPUTABLE', 'private work is done by the data owners alone')),
    refuseUpdate(update) {
      try {
        return replay(update).isDone ? undefined : 'the training in it is not finished'
      } catch (error) {
        return (error as Error).message
      }
    },
    tensorOf: (update) => update,
    async aggregate({ state, updates }) {
      const [first] = updates
      if (!first) return { state, weightsPpm: [], run: [] }
      return {
        state: encodeLogisticModel(finishedModel(plan, replay(first.update))),
        weightsPpm: updates.map(() => Math.floor(1_000_000 / updates.length)),
        run: [],
      }
    },
  }
}
