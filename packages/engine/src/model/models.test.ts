import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelSamples, sampleSeed } from '../check/modelSamples.ts'
import { createEngine } from '../createEngine.ts'
import { evaluateModel } from '../training/evaluateModel.ts'
import { checkModelConfig } from './checkModelConfig.ts'
import { initialModelParameters } from './initialModelParameters.ts'
import { sizeOfLayout } from './layoutOf.ts'
import type { ModelConfig } from './ModelConfig.ts'
import { writeWeights } from './ModelWeights.ts'
import { modelOf } from './modelOf.ts'
import { outputProgram } from './outputProgram.ts'

const engine = await createEngine()
const namesOf = (config: ModelConfig): string[] => modelOf(config).parameters.map(({ name }) => name)
const tiny = { vocabulary: 5, context: 4, width: 8, layers: 1, heads: 2 }

test('the parameters of every model lie one after the other without gap and are all used', () => {
  for (const [name, { config }] of Object.entries(modelSamples)) {
    let next = 0
    for (const { offset, size, shape } of modelOf(config).parameters) {
      assert.equal(offset, next, name)
      assert.equal(
        size,
        shape.reduce((product, extent) => product * extent, 1),
      )
      next += size
    }
    assert.equal(sizeOfLayout(modelOf(config).parameters), next)
  }
})

test('a llama and a GPT have the tensors their file formats know', () => {
  assert.deepEqual(namesOf({ kind: 'llama', ...tiny, hidden: 6 }), [
    'tokens',
    'layer0.attention.gain',
    'layer0.attention.query',
    'layer0.attention.key',
    'layer0.attention.value',
    'layer0.attention.out',
    'layer0.mlp.gain',
    'layer0.mlp.gate',
    'layer0.mlp.up',
    'layer0.mlp.down',
    'final.gain',
    'head',
  ])
  assert.ok(!namesOf({ kind: 'llama', ...tiny, hidden: 6, tie: true }).includes('head'))
  const gpt = namesOf({ kind: 'gpt', ...tiny, bias: true })
  for (const name of ['positions', 'layer0.attention.shift', 'layer0.mlp.up.bias', 'final.shift']) {
    assert.ok(gpt.includes(name), name)
  }
  assert.ok(!gpt.includes('head'))
})

test('the untrained parameters are a function of the seed with the stated spread [E-14]', () => {
  const model = modelOf({ kind: 'gpt', vocabulary: 60, context: 16, width: 48, layers: 2, heads: 4, bias: true })
  const values = initialModelParameters(model, sampleSeed)
  assert.deepEqual(values, initialModelParameters(model, sampleSeed))
  for (const { name, offset, size, start } of model.parameters) {
    const part = values.subarray(offset, offset + size)
    const deviation = Math.sqrt(part.reduce((sum, x) => sum + x * x, 0) / size)
    const expected = start === 'one' ? 1 : start
    assert.ok(Math.abs(deviation - expected) <= 0.1 * expected, `${name}: ${deviation}, expected ${expected}`)
  }
})

test('logistic regression gives x·w + b, worked by hand, and accuracy counts the first of the largest [E-36]', async () => {
  const model = modelOf({ kind: 'logistic', inputs: 2, classes: 3 })
  // w [2, 3], then the bias.
  const parameters = Float32Array.of(1, 2, 0, -1, 0, 1, 0, 0, 0.5)
  const execution = await engine.prepare(outputProgram(model, 2))
  writeWeights(execution, model, { parameters })
  const inputs = Float32Array.of(1, 1, 2, -1)
  execution.write('inputs', inputs)
  execution.run()
  assert.deepEqual([...execution.read('outputs')], [0, 2, 1.5, 3, 4, -0.5])
  const accuracyOf = async (...labels: number[]): Promise<number | null> => {
    const data = { kind: 'rows', inputs, targets: Int32Array.from(labels) } as const
    return (await evaluateModel(engine, model, { parameters }, data)).accuracy
  }
  assert.equal(await accuracyOf(1, 1), 1)
  assert.equal(await accuracyOf(2, 1), 0.5)
  const ties = { parameters: new Float32Array(9) }
  const evaluated = async (label: number): Promise<number | null> => {
    const data = { kind: 'rows', inputs: inputs.subarray(0, 2), targets: Int32Array.of(label) } as const
    return (await evaluateModel(engine, model, ties, data)).accuracy
  }
  assert.deepEqual([await evaluated(0), await evaluated(1)], [1, 0])
})

test('an evaluation counts every row once, however many a run takes [E-18]', async () => {
  const { config, data } = modelSamples.cnn!
  const model = modelOf(config)
  const weights = { parameters: initialModelParameters(model, sampleSeed) }
  const runs = await Promise.all([1, 4, 11, 30].map((batch) => evaluateModel(engine, model, weights, data, { batch })))
  for (const run of runs) assert.deepEqual(run, { ...runs[0], n: 11 })
})

test('a config that cannot be built is refused with field, what is allowed and the value', () => {
  const cnn = modelSamples.cnn!.config
  const convolution = { channels: 1, kernel: 3, stride: 1, padding: 0, pool: 1 }
  const refused: [unknown, RegExp][] = [
    [null, /config must be an object, got null/],
    [{ kind: 'tree' }, /kind must be one of logistic, .*, got "tree"/],
    [{ kind: 'logistic', inputs: 0, classes: 2 }, /inputs must be whole and 1 to \d+, got 0/],
    [{ kind: 'logistic', inputs: 3, classes: 1 }, /classes must be whole and 2 to/],
    [{ kind: 'mlp', inputs: 3, hidden: [4, 0], activation: 'relu', classes: 2 }, /hidden\[1\] .* got 0/],
    [{ kind: 'mlp', inputs: 3, hidden: 4, activation: 'relu', classes: 2 }, /hidden must be a list, got 4/],
    [{ kind: 'mlp', inputs: 3, hidden: [4], activation: 'step', classes: 2 }, /activation must be one of relu/],
    [{ kind: 'mlp', inputs: 3, hidden: [4], activation: 'relu' }, /classes or regression must be given, one of them/],
    [{ kind: 'mlp', inputs: 3, hidden: [4], activation: 'relu', classes: 2, dropout: 1 }, /dropout .* below 1, got 1/],
    [{ ...cnn, convolutions: [] }, /convolutions must be a list of one or more/],
    [{ ...cnn, convolutions: [{ ...convolution, kernel: 9 }] }, /small enough to leave something of 7×6/],
    [{ ...cnn, convolutions: [{ ...convolution, padding: 3 }] }, /padding must be below the kernel, 3, got 3/],
    [{ kind: 'llama', ...tiny, hidden: 6, heads: 8 }, /width must be a multiple of 2·heads = 16/],
    [{ kind: 'llama', ...tiny, hidden: 6, ropeBase: 1 }, /ropeBase must be above 1/],
    [
      { kind: 'llama', ...tiny, hidden: 6, lora: { rank: 2, alpha: 1, matrices: ['head'] } },
      /lora.matrices must be at least one of query/,
    ],
    [{ kind: 'gpt', ...tiny, heads: 3 }, /width must be a multiple of heads = 3, got 8/],
    [{ kind: 'gpt', ...tiny, bias: 'yes' }, /bias must be true or false, got "yes"/],
    [{ kind: 'gpt', ...tiny, layers: 1e12 }, /layers must be whole/],
  ]
  for (const [config, message] of refused) {
    assert.throws(() => checkModelConfig(config as ModelConfig), { code: 'BAD_CONFIG', message })
  }
})
