/**
 * Who was in the training rows? Both attacks on a small network over the four hospitals' rows, half of them members, plain and
 * under noise for ε = 8 and ε = 1 (δ = 1e-4). The plain one is trained far too long, so that there is something to find.
 */
import {
  createEngine,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  type TrainingRecipe,
  trainToEnd,
} from '@potluck/engine'
import {
  inferMembership,
  noiseForBudget,
  type RocArea,
  type Rows,
  rowGradients,
  trainWithNoise,
  wordStream,
} from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import type { Row } from '../Row.ts'
import { heartInputs, heartTables } from './heartHospitals.ts'

const config: ModelConfig = { kind: 'mlp', inputs: heartInputs, hidden: [48], activation: 'relu', classes: 2 }
const SHADOWS = 16
const DELTA = 1e-4
const RATE = 0.25
const STEPS = 120
const seedOf = (what: string): Uint8Array => sha256(utf8(`privacy membership/${what}`))

/** All 740 rows, scaled together. */
function allRows(): Rows {
  const { train, test } = heartTables().pooled
  return {
    kind: 'rows',
    inputs: Float32Array.from([...train.inputs, ...test.inputs]),
    targets: Int32Array.from([...train.targets, ...test.targets]),
  }
}

const pick = ({ inputs, targets }: Rows, members: readonly number[]): Rows => ({
  kind: 'rows',
  inputs: Float32Array.from(members.flatMap((i) => [...inputs.subarray(i * heartInputs, (i + 1) * heartInputs)])),
  targets: Int32Array.from(members, (i) => targets[i]!),
})

export async function privacyMembership(): Promise<Row[]> {
  const engine = await createEngine()
  const rows = allRows()
  const count = rows.targets.length
  const gradients = await rowGradients(engine, config)
  const lossesOf = async (parameters: Float32Array): Promise<Float64Array> => {
    gradients.at(parameters)
    return Float64Array.from({ length: count }, (_, row) => gradients.of(rows, row).loss)
  }
  const start = (model: number): Float32Array => initialModelParameters(modelOf(config), seedOf(`start ${model}`))
  const plain = async (members: readonly number[], model: number): Promise<Float32Array> => {
    const recipe: TrainingRecipe = { steps: 2_000, batch: 16, optimizer: { kind: 'adamw' }, learningRate: 0.01 }
    const options = { config, recipe, data: pick(rows, members), seed: seedOf(`plain ${model}`) }
    return (await trainToEnd(engine, { ...options, parameters: start(model) })).parameters
  }
  const noisy =
    (epsilon: number) =>
    async (members: readonly number[], model: number): Promise<Float32Array> => {
      const noise = noiseForBudget({ epsilon, delta: DELTA, rate: RATE, steps: STEPS }, 'rdp')
      const recipe = { steps: STEPS, batch: members.length * RATE, learningRate: 0.5, clip: 1, noise }
      const words = wordStream(seedOf(`noise ${epsilon} ${model}`))
      const options = { config, recipe, data: pick(rows, members), parameters: start(model), words }
      return (await trainWithNoise(engine, options)).parameters
    }
  const out: Row[] = []
  for (const [name, train] of [
    ['none', plain],
    ['eps8', noisy(8)],
    ['eps1', noisy(1)],
  ] as const) {
    const held: number[] = []
    const members: ReadonlySet<number>[] = []
    const attack = {
      ...{ rows: count, shadows: SHADOWS, seed: seedOf('halves') },
      train: (rows: readonly number[], model: number): Promise<Float32Array> => {
        members.push(new Set(rows))
        return train(rows, model)
      },
      lossesOf: async (parameters: Float32Array): Promise<Float64Array> => {
        const losses = await lossesOf(parameters)
        const inside = members.at(-1)!
        const out = [...losses].filter((_, row) => !inside.has(row))
        // Of two classes the right one has more than half exactly when the loss is below ln 2.
        held.push(out.filter((loss) => loss < Math.LN2).length / out.length)
        return losses
      },
    }
    const { threshold, ratio } = await inferMembership(attack)
    out.push(areaRow(`membership.${name}.threshold`, threshold), areaRow(`membership.${name}.likelihood`, ratio!))
    out.push({
      ...{ what: `membership.${name}.tpr1`, value: ratio!.tprAt1Percent, unit: 'members found at 1 % false alarms' },
      ...{ rival: 'guessing', rivalValue: 0.01, ratio: null },
    })
    out.push({
      ...{ what: `membership.${name}.accuracy`, value: held.reduce((sum, x) => sum + x, 0) / held.length },
      ...{ unit: `on rows left out, measured, ${held.length} models`, rival: null, rivalValue: null, ratio: null },
    })
  }
  return out
}

const areaRow = (what: string, { area, low, high }: RocArea): Row => ({
  ...{ what, value: area, unit: `AUC, measured, 95 %: ${low.toFixed(3)} to ${high.toFixed(3)}` },
  ...{ rival: 'guessing', rivalValue: 0.5, ratio: null },
})
