import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, initialParameters, vocabularyOf } from '@potluck/engine'
import { type Hex, type LanguageJob, merkleRootOfBytes, sha256, toHex, updateEncodings, utf8 } from '@potluck/protocol'
import type { WorkResult } from './JobProgram.ts'
import { languageProgram } from './languageProgram.ts'
import { bytesOfFloats } from './tensorBytes.ts'

const worker: Hex = `0x${'11'.repeat(20)}`

const text = 'the pot is full of rice and luck. '.repeat(6)
const config = { vocabulary: vocabularyOf(text), context: 8, width: 8, layers: 1, heads: 1, hidden: 16 }
const seed = sha256(utf8('job'))
const state = bytesOfFloats(initialParameters(config, seed))
const beacon = toHex(sha256(utf8('beacon')))

const jobOf = (encoding: LanguageJob['encoding']): LanguageJob => ({
  ...{ type: 'job', kind: 'language', name: '', description: '', workSeconds: 6, silenceSeconds: 3 },
  ...{ trainCid: '', validCid: '', seed: toHex(seed), shares: 2, encoding },
  recipe: {
    ...{ config, batch: 2, steps: 4, learningRate: 0.01, weightDecay: 0.1, warmupSteps: 0 },
    ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, stateEverySteps: 2 },
  },
  audit: { gainPpm: 0, colludingPpm: 0, auditors: 1, saltPriceE18: 0n, newClaims: 0 },
})
const programOf = async (encoding: LanguageJob['encoding']) =>
  languageProgram(await createEngine(), jobOf(encoding), text, () => Promise.resolve())
const rootOf = (bytes: Uint8Array): string => toHex(merkleRootOfBytes(bytes))

for (const encoding of updateEncodings) {
  test(`what a worker sends as ${encoding} unpacks to what a referee finds, and so does the result [P-52]`, async () => {
    const program = await programOf(encoding)
    const updates: { share: number; update: Uint8Array }[] = []
    for (const share of [0, 1]) {
      const task = { state, seed: sha256(utf8(`share ${share}`)) }
      const { update, stateRoots }: WorkResult = await program.work(task)
      assert.equal(program.refuseUpdate(update, worker), undefined)
      const truth = program.exact?.truthOf(task)
      assert.equal(rootOf(program.tensorOf(update)), toHex((await truth?.updateRoot()) ?? new Uint8Array()))
      assert.deepEqual(stateRoots, (await truth?.nodes())?.map(toHex))
      updates.push({ share, update })
    }
    const task = { state, round: 0, beacon, updates }
    const next = await program.aggregate(task)
    const truth = program.exact?.resultOf(task)
    assert.deepEqual(next.run, (await truth?.nodes())?.map(toHex))
    assert.equal(rootOf(next.state), toHex((await truth?.updateRoot()) ?? new Uint8Array()))
    assert.ok(next.weightsPpm.every((weight) => weight > 0))
  })
}

test('an old job, which says nothing of encodings, has f32 and the program root it always had', async () => {
  const [old, plain, dense] = await Promise.all([undefined, 'f32', 'dense4'].map((one) => programOf(one as 'f32')))
  assert.deepEqual(old?.exact?.job.root, plain?.exact?.job.root)
  assert.notDeepEqual(old?.exact?.job.root, dense?.exact?.job.root)
})

test('bytes of another size, numbers that are none and other encodings are refused with the reason [P-53]', async () => {
  const [plain, dense] = [await programOf('f32'), await programOf('dense4')]
  const { update } = await dense.work({ state, seed })
  assert.match(plain.refuseUpdate(update, worker) ?? '', /expected \d+: one f32 for each parameter/)
  assert.match(dense.refuseUpdate(state, worker) ?? '', /as dense4/)
  assert.match(dense.refuseUpdate(update.subarray(1), worker) ?? '', /bytes, expected/)
  const infinite = bytesOfFloats(new Float32Array(state.length / 4).fill(Number.POSITIVE_INFINITY))
  assert.match(plain.refuseUpdate(infinite, worker) ?? '', /not finite/)
  assert.match(dense.refuseUpdate(update.with(2, 0x80), worker) ?? '', /has the scale/)
})
