import type { ExactJob, TracedProgram } from '@potluck/engine'

/**
 * What is run in a step of a dispute, and which leaf under the program root its first record is (D-06): the steps of training
 * are numbered 0 … S − 1, the finish is S, the aggregation of a round's result is S + 1.
 */
export function programAt(
  job: Pick<ExactJob, 'steps' | 'step' | 'finish' | 'aggregate'>,
  step: number,
): { readonly traced: TracedProgram; readonly firstLeaf: number } {
  if (step < job.steps) return { traced: job.step, firstLeaf: 1 }
  const finish = 1 + job.step.records.length
  if (step === job.steps) return { traced: job.finish, firstLeaf: finish }
  return { traced: job.aggregate, firstLeaf: finish + job.finish.records.length }
}
