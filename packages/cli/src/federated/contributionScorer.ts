import type { Engine, TrainingData } from '@potluck/engine'
import {
  equalisedScales,
  type FederatedOptions,
  gradientProbe,
  type RoundView,
  roundContribution,
  selectRows,
} from '@potluck/learning'

/** What each member of a round took off the loss, in order of the members. */
export type ContributionScorer = (view: RoundView) => number[]

/** Rows to measure with: enough for a gradient, few enough to cost a fraction of the round. */
const MOST_ROWS = 1_000

/**
 * A scorer by validation rows, which nobody trains on. Undefined for texts, of which no probe is made, and under masks, where nobody sees
 * what a single client sent.
 *
 * The gradient at a round's base is that at the end of the round before: one gradient a round.
 */
export async function contributionScorer(
  engine: Engine,
  { config, rule, validation, masks }: FederatedOptions,
  inputs: number,
): Promise<ContributionScorer | undefined> {
  if (masks) return undefined
  if (validation?.kind !== 'rows' || config.kind === 'llama' || config.kind === 'gpt') return undefined
  const rows = firstRows(validation, validation.inputs.length / inputs)
  const probe = await gradientProbe(engine, config)
  let known: { readonly parameters: Float32Array; readonly gradient: Float64Array } | undefined
  const gradientAt = (parameters: Float32Array): Float64Array => {
    if (known?.parameters !== parameters) known = { parameters, gradient: probe(parameters, rows).gradient }
    return known.gradient
  }
  return (view) => {
    const before = gradientAt(view.base)
    const { updates, weights, reference } = view
    const isEqualised = rule?.kind === 'reference' && reference !== undefined
    const scales = isEqualised ? equalisedScales(updates, weights, reference) : undefined
    return [...roundContribution({ ...view, scales }, before, gradientAt(view.next)).values]
  }
}

function firstRows(data: TrainingData & { readonly kind: 'rows' }, count: number): TrainingData {
  if (count <= MOST_ROWS) return data
  return selectRows(
    data,
    Uint32Array.from({ length: MOST_ROWS }, (_, i) => i),
    count,
  )
}
