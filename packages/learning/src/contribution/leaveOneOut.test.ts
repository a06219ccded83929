import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createEngine,
  evaluateModel,
  type ModelConfig,
  modelOf,
  RandomStream,
  type TrainingData,
} from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import type { FederatedOptions, RoundView } from '../federated/FederatedOptions.ts'
import { federateToEnd } from '../federated/federate.ts'
import { gradientProbe } from './gradientProbe.ts'
import { type RoundContribution, roundContribution } from './roundContribution.ts'
import { scoreContributions } from './scoreContributions.ts'

const config: ModelConfig = { kind: 'mlp', inputs: 6, hidden: [8], activation: 'relu', classes: 3 }

/** Three clouds in six dimensions; `wrong` of the rows carry the label of another. */
function clouds(rows: number, stream: number, wrong = 0): TrainingData {
  const random = new RandomStream(utf8('leave one out'), 99, stream)
  const inputs = Float32Array.from({ length: 6 * rows }, (_, i) => {
    const [row, column] = [Math.floor(i / 6), i % 6]
    return (column % 3 === row % 3 ? 1.2 : 0) + random.normal(i)
  })
  const targets = Int32Array.from({ length: rows }, (_, row) => (row + (row < wrong * rows ? 1 : 0)) % 3)
  return { kind: 'rows', inputs, targets }
}

test('scores of one run rank contributors as training again without each of them does, and add up to what was learned [L-60] [L-61]', async () => {
  const engine = await createEngine()
  const qualities: readonly (readonly [rows: number, wrong: number])[] = [
    [120, 0],
    [60, 0],
    [20, 0],
    [80, 0.3],
    [80, 0.6],
    [80, 1],
  ]
  const clients = qualities.map(([rows, wrong], i) => ({ id: `client ${i}`, data: clouds(rows, i, wrong) }))
  const [rows, truth] = [clouds(300, 90), clouds(900, 91)]
  const probe = await gradientProbe(engine, config)
  const rounds: RoundContribution[] = []
  let taken = 0
  function onUpdates(view: RoundView): void {
    const [before, after] = [probe(view.base, rows), probe(view.next, rows)]
    rounds.push(roundContribution(view, before.gradient, after.gradient))
    taken += before.loss - after.loss
  }
  const options: FederatedOptions = {
    config,
    local: { steps: 5, batch: 8, optimizer: { kind: 'sgd' }, learningRate: 0.1 },
    ...{ clients, rounds: 6, seed: utf8('leave one out'), rule: { kind: 'weightedMean' }, evaluateEvery: 1000 },
  }
  const lossOf = async (changes: Partial<FederatedOptions>): Promise<number> => {
    const { parameters } = await federateToEnd(engine, { ...options, ...changes })
    return (await evaluateModel(engine, modelOf(config), { parameters }, truth)).loss
  }
  const whole = await lossOf({ onUpdates })
  const lost: number[] = []
  for (const i of clients.keys()) lost.push((await lossOf({ clients: clients.toSpliced(i, 1) })) - whole)
  const values = clients.map((_, i) => rounds.reduce((sum, round) => sum + round.values[i]!, 0))
  const order = (of: readonly number[]): number[] => [...of.keys()].toSorted((a, b) => of[b]! - of[a]!)
  // Of six contributors Spearman's correlation is 1 − Σd²/35: with Σd² of at most 7 it is 0.8 or more.
  const [byValue, byLoss] = [order(values), order(lost)]
  const squares = clients.reduce((sum, _, i) => {
    const apart = byValue.indexOf(i) - byLoss.indexOf(i)
    return sum + apart * apart
  }, 0)
  assert.ok(squares <= 7, `${byValue} by score, ${byLoss} by leaving out`)
  const sum = values.reduce((total, value) => total + value, 0)
  assert.ok(Math.abs(sum - taken) < 0.1 * taken, `values come to ${sum}, the loss fell by ${taken}`)
  const scores = scoreContributions(rounds, clients.length)
  assert.equal(scores[5]!.score, 0, 'all labels wrong')
  assert.ok(scores[0]!.share > scores[2]!.share)
})
