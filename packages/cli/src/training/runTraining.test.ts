import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Checkpoint, createReferenceEngine, type Train, type TrainingResult } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { type RunHooks, runTraining } from './runTraining.ts'

const state = (step: number): Checkpoint => ({
  version: 1,
  programRoot: '0x',
  seedHash: '0x',
  step,
  state: {},
  best: null,
})

const options = {
  config: { kind: 'logistic', inputs: 1, classes: 2 },
  recipe: { steps: 6, batch: 1, optimizer: { kind: 'sgd' }, learningRate: 1 },
  data: { kind: 'rows', inputs: new Float32Array(1), targets: new Int32Array(1) },
  seed: new Uint8Array(32),
} as const

/** Six steps of nothing, of which the one given fails. */
const stepsFailingAt = (failing: number): Train =>
  async function* (_engine, { resume, recipe }) {
    const common = { rate: 1, norm: null, stateRoot: null }
    for (let step = (resume?.step ?? 0) + 1; step <= recipe.steps; step++) {
      if (step === failing)
        throw new PotluckError('NAN', 'matmul head wrote NaN at 3', { operator: 'matmul', index: 3 })
      const evaluation = step === 6 ? { loss: 1, accuracy: 0.5, n: 2 } : null
      yield { ...common, step, loss: 1 / step, evaluation, checkpoint: () => state(step) }
    }
    return { checkpoint: state(recipe.steps) } as TrainingResult
  }

function hooksThat(stopAt: number): RunHooks & { saved: number[]; seen: number[] } {
  const saved: number[] = []
  const seen: number[] = []
  let now = 0
  return {
    saved,
    seen,
    onStep: ({ step }) => seen.push(step),
    save: ({ step }) => saved.push(step),
    checkpointEvery: 2,
    stopAfter: (step) => step >= stopAt,
    clock: () => (now += 500),
  }
}

const engine = createReferenceEngine()

test('a run saves its state every so many steps and once at the end', async () => {
  const hooks = hooksThat(100)
  const run = await runTraining(stepsFailingAt(0), engine, options, hooks)
  assert.ok(run.isDone && run.seconds === 3.5)
  assert.deepEqual(hooks.saved, [2, 4, 6])
  assert.deepEqual(hooks.seen, [1, 2, 3, 4, 5, 6])
})

test('a run that is stopped saves where it is and goes on from there', async () => {
  const hooks = hooksThat(3)
  assert.deepEqual(await runTraining(stepsFailingAt(0), engine, options, hooks), { isDone: false, step: 3 })
  assert.deepEqual(hooks.saved, [2, 3])
  const rest = hooksThat(100)
  await runTraining(stepsFailingAt(0), engine, { ...options, resume: state(3) }, rest)
  assert.deepEqual(rest.seen, [4, 5, 6])
})

test('a NaN stops the run with its step, operator and index', async () => {
  await assert.rejects(runTraining(stepsFailingAt(4), engine, options, hooksThat(100)), (thrown) => {
    assert.ok(thrown instanceof PotluckError)
    assert.deepEqual(thrown.facts, { operator: 'matmul', index: 3, step: 4 })
    assert.match(thrown.message, /step 4: matmul head wrote NaN at 3.*--rate/)
    return true
  })
})
