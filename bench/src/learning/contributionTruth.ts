/** Scores of the planted contributors beside the truth: what the model loses when it is trained again without one of them. */
import { type Engine, evaluateModel, type ModelConfig, modelOf } from '@potluck/engine'
import {
  equalisedScales,
  type FederatedOptions,
  federateToEnd,
  gradientProbe,
  leaveOneOutValues,
  lossAlong,
  meanGradient,
  type RoundContribution,
  type RoundView,
  type Rule,
  roundContribution,
  scoreContributions,
  selectRows,
} from '@potluck/learning'
import { utf8 } from '@potluck/protocol'
import type { LabelledImages } from './benchData.ts'
import { planted, plantedData } from './contributionPlanted.ts'
import { spearman } from './contributionRanks.ts'

const config: ModelConfig = { kind: 'mlp', inputs: 784, hidden: [32], activation: 'relu', classes: 10 }

/** Rank correlations with leaving one out, by what is paid (capped, cut at 0), by the sums behind it, by first order, and by leave-one-out values. */
export type Agreement = {
  paid: number
  values: number
  firstOrder: number
  leaveOneOut: number
  /** The truth on one half of its rows with the truth on the other: no score can be asked to agree better. */
  truth: number
}

export async function agreementOf(
  engine: Engine,
  images: LabelledImages,
  kind: 'weightedMean' | 'reference',
  seed: number,
): Promise<Agreement> {
  const { clients, probe: rows, truth, reference } = plantedData(images, seed)
  const rule: Rule = { kind }
  const options: FederatedOptions = {
    config,
    local: { steps: 10, batch: 16, optimizer: { kind: 'sgd' }, learningRate: 0.1 },
    ...{ clients, rounds: 10, seed: utf8(`contribution ${seed}`), rule, evaluateEvery: 1000 },
    ...(kind === 'reference' ? { reference } : {}),
  }
  const probe = await gradientProbe(engine, config)
  const [rounds, first]: [RoundContribution[], RoundContribution[]] = [[], []]
  const left = planted.map(() => 0)
  let last: { parameters: Float32Array; gradient: Float64Array } | undefined
  const gradientAt = (parameters: Float32Array): Float64Array => {
    if (last?.parameters !== parameters) last = { parameters, gradient: probe(parameters, rows).gradient }
    return last.gradient
  }
  function onUpdates(view: RoundView): void {
    const { updates, weights, reference } = view
    const scales = reference && equalisedScales(updates, weights, reference)
    const before = gradientAt(view.base)
    const after = gradientAt(view.next)
    const round = roundContribution({ ...view, scales }, before, after)
    const move = view.base.map((value, j) => value - view.next[j]!)
    const whole = lossAlong(move, meanGradient(before, after))
    first.push(roundContribution({ ...view, scales }, before))
    rounds.push(round)
    leaveOneOutValues(round, weights, whole).forEach((value, i) => {
      left[i]! += value
    })
  }
  const halves = [0, 1].map((half) => {
    const [count, rows] = [
      truth.targets.length,
      Uint32Array.from({ length: truth.targets.length / 2 }, (_, i) => 2 * i + half),
    ]
    return selectRows(truth, rows, count)
  })
  const lossesWithout = async (without: number | null): Promise<readonly number[]> => {
    const run = without === null ? { ...options, onUpdates } : { ...options, clients: clients.toSpliced(without, 1) }
    const { parameters } = await federateToEnd(engine, run)
    const losses: number[] = []
    for (const half of halves) losses.push((await evaluateModel(engine, modelOf(config), { parameters }, half)).loss)
    return losses
  }
  const whole = await lossesWithout(null)
  const [one, other]: [number[], number[]] = [[], []]
  for (const i of planted.keys()) {
    const losses = await lossesWithout(i)
    one.push(losses[0]! - whole[0]!)
    other.push(losses[1]! - whole[1]!)
  }
  const lost = one.map((loss, i) => (loss + other[i]!) / 2)
  const sums = (all: readonly RoundContribution[]): number[] =>
    planted.map((_, i) => all.reduce((sum, { values }) => sum + values[i]!, 0))
  const paid = scoreContributions(rounds, planted.length).map(({ score }) => score)
  return {
    paid: spearman(paid, lost),
    values: spearman(sums(rounds), lost),
    firstOrder: spearman(sums(first), lost),
    leaveOneOut: spearman(left, lost),
    truth: spearman(one, other),
  }
}
