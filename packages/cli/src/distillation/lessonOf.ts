import type { Engine, ModelConfig, TrainingData } from '@potluck/engine'
import { matchingConfig, modelLogits, softTargets } from '@potluck/learning'
import type { LoadedData } from '../training/LoadedData.ts'
import type { Teacher } from './loadTeacher.ts'

/** What steps are made of: the run's own model and data, or with a teacher its logits in place of the labels. */
export type Lesson = { readonly config: ModelConfig; readonly train: TrainingData; readonly valid: TrainingData }

type Taught = { readonly config: ModelConfig; readonly data: LoadedData; readonly teacher?: Teacher | undefined }

/** A pure function of teacher and data: computed again for each part of a run, to the same bits. */
export async function lessonOf(
  engine: Engine,
  { config, data, teacher }: Taught,
  pause: () => Promise<void>,
): Promise<Lesson> {
  if (!teacher) return { config, train: data.train, valid: data.valid }
  const { model, parameters } = teacher
  const taught = async (rows: TrainingData): Promise<TrainingData> => {
    if (rows.kind !== 'rows' || model.target.kind !== 'classes') return rows
    const logits = await modelLogits(engine, model, parameters, rows.inputs, pause)
    return { ...rows, targets: softTargets(logits, model.target.classes) }
  }
  return { config: matchingConfig(config), train: await taught(data.train), valid: await taught(data.valid) }
}
