import { PotluckError } from '@potluck/protocol'
import type { Model } from '../model/Model.ts'

/** What a model is trained or evaluated on. */
export type TrainingData =
  /** A text as token numbers, more than `context` of them. */
  | { readonly kind: 'tokens'; readonly tokens: Uint8Array | Uint16Array | Int32Array }
  /** N rows of numbers, one after the other; classes 0 … or the numbers to be predicted, N·count of them. */
  | { readonly kind: 'rows'; readonly inputs: Float32Array; readonly targets: Int32Array | Float32Array }

/** Samples an epoch has: rows; for a text the windows that do not overlap. */
export function checkTrainingData(model: Model, data: TrainingData, what = 'data'): number {
  const refuse = (code: string, message: string): never => {
    throw new PotluckError(code, `${what}: ${message}`)
  }
  if (data.kind !== model.sample.kind) {
    return refuse('BAD_DATA', `a ${model.config.kind} model takes ${model.sample.kind}, got ${data.kind}`)
  }
  if (data.kind === 'tokens' && model.sample.kind === 'tokens') {
    const { context, vocabulary } = model.sample
    if (data.tokens.length <= context) {
      refuse('SHORT_TEXT', `need more than ${context} tokens (the context), got ${data.tokens.length}`)
    }
    const at = data.tokens.findIndex((token) => token < 0 || token >= vocabulary)
    if (at >= 0) refuse('BAD_TOKEN', `token ${data.tokens[at]} at position ${at}, expected 0 to ${vocabulary - 1}`)
    return Math.ceil((data.tokens.length - 1) / context)
  }
  if (data.kind !== 'rows' || model.sample.kind !== 'rows') return 0
  const { inputs: width } = model.sample
  const count = data.inputs.length / width
  if (count === 0) refuse('EMPTY_DATA', 'there is no row')
  if (!Number.isInteger(count)) refuse('SHAPE', `${data.inputs.length} numbers are not whole rows of ${width}`)
  const bad = data.inputs.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) refuse('BAD_DATA', `row ${Math.floor(bad / width)}, column ${bad % width} is ${data.inputs[bad]}`)
  checkTargets(model, data.targets, count, refuse)
  return count
}

function checkTargets(
  { target }: Model,
  targets: Int32Array | Float32Array,
  count: number,
  refuse: (code: string, message: string) => unknown,
): void {
  const wanted = target.kind === 'classes' ? count : count * target.count
  if (targets.length !== wanted) refuse('SHAPE', `${count} rows need ${wanted} targets, got ${targets.length}`)
  if (target.kind === 'classes') {
    const isLabel = (label: number): boolean => Number.isInteger(label) && label >= 0 && label < target.classes
    const at = targets.findIndex((label) => !isLabel(label))
    if (at >= 0) refuse('BAD_LABEL', `label ${targets[at]} of row ${at}, expected 0 to ${target.classes - 1}`)
    return
  }
  const at = targets.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) refuse('BAD_DATA', `target ${at} is ${targets[at]}`)
}
