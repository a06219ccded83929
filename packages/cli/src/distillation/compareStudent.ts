import { type Engine, type Evaluation, evaluateModel, type TrainingData, trainToEnd } from '@potluck/engine'
import type { PreparedRun } from '../training/prepareRun.ts'
import type { Teacher } from './loadTeacher.ts'

type Result = { readonly loss: number; readonly accuracy: number | null }

/** What a student is measured by. */
export type Comparison = {
  readonly teacher: {
    readonly kind: string
    readonly params: number
    readonly hash: string
    readonly valid: Result
    readonly test: Evaluation | null
  }
  /** The same student, recipe and seed with labels in place of the teacher; null where that would take long. */
  readonly labelsAlone: { readonly valid: Result; readonly test: Evaluation | null } | null
}

/** Training on labels alone comes on top of what was asked for: up to about ten seconds of one core, measured at 20 GFLOP a second. */
const MOST_FLOPS = 2e11

/** Evaluates the teacher, and where it is cheap a student that had none, on the rows the student is evaluated on. */
export async function compareStudent(engine: Engine, run: PreparedRun, teacher: Teacher): Promise<Comparison> {
  const { data, recipe, model, config, seed, plan } = run
  const both = async (of: typeof model, parameters: Float32Array) => {
    const on = (rows: TrainingData): Promise<Evaluation> => evaluateModel(engine, of, { parameters }, rows)
    const { loss, accuracy } = await on(data.valid)
    return { valid: { loss, accuracy }, test: data.test ? await on(data.test) : null }
  }
  const { kind } = teacher.model.config
  const taught = await both(teacher.model, teacher.parameters)
  const isCheap = plan.flopsPerStep * recipe.steps <= MOST_FLOPS
  const alone = isCheap
    ? await trainToEnd(engine, { config, recipe, data: data.train, validation: data.valid, seed })
    : undefined
  return {
    teacher: { kind, params: teacher.params, hash: teacher.hash, ...taught },
    labelsAlone: alone ? await both(model, alone.best?.parameters ?? alone.parameters) : null,
  }
}
