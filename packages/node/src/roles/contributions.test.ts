/** Contributions of a round of a real language job, as validators report them that share nothing but the network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '@ipld/dag-cbor'
import { createEngine, initialParameters, RandomStream, vocabularyOf } from '@potluck/engine'
import {
  type AuditReport,
  auditReport,
  type Claim,
  type Hex,
  type LanguageJob,
  merkleRootOfBytes,
  sha256,
  toHex,
  utf8,
} from '@potluck/protocol'
import { memoryBlockStore } from '@potluck/store'
import type { JobFacts } from '../JobFacts.ts'
import { type JobView, Phase } from '../JobView.ts'
import { createPrograms } from '../program/programs.ts'
import { bytesOfFloats, floatsOf } from '../program/tensorBytes.ts'
import { taskSeed } from '../round/taskSeed.ts'
import { type Assessment, conclude } from './assessment.ts'

const text = 'the pot is full of rice and luck, and luck is a pot of rice that is full. '.repeat(6)
const files: Record<string, string> = { train: text, valid: text.slice(7) }
const config = { vocabulary: vocabularyOf(text), context: 8, width: 16, layers: 1, heads: 2, hidden: 32 }
const jobSeed = toHex(sha256(utf8('job')))
const job: LanguageJob = {
  ...{ type: 'job', kind: 'language', name: '', description: '', workSeconds: 6, silenceSeconds: 3 },
  ...{ trainCid: 'train', validCid: 'valid', seed: jobSeed, shares: 4, encoding: 'f32', scoreWindows: 16 },
  recipe: {
    ...{ config, batch: 4, steps: 10, learningRate: 0.01, weightDecay: 0, warmupSteps: 0 },
    ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, stateEverySteps: 10 },
  },
  audit: { gainPpm: 0, colludingPpm: 0, auditors: 1, saltPriceE18: 0n, newClaims: 0 },
}
const state = bytesOfFloats(initialParameters(config, utf8('start')))
const beacon = toHex(sha256(utf8('beacon')))
const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`

/** The program of the job as a node of its own makes it, and what it fetched for that. */
async function programOf(document: LanguageJob) {
  const fetched: string[] = []
  const fetchFile = async (cid: string): Promise<Uint8Array> => {
    fetched.push(cid)
    return utf8(files[cid] ?? '')
  }
  const engine = createEngine()
  const programs = createPrograms({ fetchFile }, { engine: () => engine, pause: () => Promise.resolve() })
  const program = await programs(1, document, {} as JobFacts, { sources: () => [] })
  return { program, fetched }
}

const worker = await programOf(job)
const updates: Uint8Array[] = []
for (let share = 0; share < 3; share++)
  updates.push((await worker.program.work({ state, seed: taskSeed(jobSeed, 0, share, node(share)) })).update)
const random = new RandomStream(utf8('noise'), 99, 0)
// Of the same size as an honest update, without its direction.
updates.push(bytesOfFloats(floatsOf(updates[0]!).map((x, j) => Math.abs(x) * random.normal(j))))

const claims = updates.map(
  (update, i): Claim => ({
    ...{ worker: node(i), share: i, units: 1, baseRoot: toHex(merkleRootOfBytes(state)) },
    ...{ updateDigest: toHex(sha256(update)), updateRoot: beacon, statesRoot: beacon },
  }),
)

/** The report bytes of a validator that has nothing but the document, the files and the updates. */
async function reportBy(document: LanguageJob): Promise<Uint8Array> {
  const view = {
    ...{ job: 1, round: 0, document, program: (await programOf(document)).program },
    status: { phase: Phase.propose, beacon, proposal: { convictions: 0 } },
    facts: { expelled: new Set() },
    ports: {
      store: memoryBlockStore(),
      fetch: async (digest: Hex) => updates.find((update) => toHex(sha256(update)) === digest),
    },
    directory: { urlOf: () => undefined },
    baseState: async () => state,
    sources: () => [],
  } as unknown as JobView
  const assessment: Assessment = {
    ...{ key: '', claims, hashes: claims.map((_, i): Hex => `0x${`1${i}`.repeat(32)}`), states: [] },
    draws: claims.map((_, index) => ({ index, ratePpm: 0, auditor: index === 1 ? node(9) : null, probeStep: 1 })),
    ...{ paidBefore: [], sharePay: 10n, ownChecks: new Map() },
  }
  return (await conclude(view, assessment)).report
}
const read = (bytes: Uint8Array): AuditReport => auditReport.parse(decode(bytes))

test('two validators tell the same contributions, to the byte of the report; noise took off less than honest work [P-58]', async () => {
  const [first, second] = [await reportBy(job), await reportBy(job)]
  assert.deepEqual(first, second)
  const values = read(first).claims.map(({ contribution }) => contribution?.valueMicro ?? Number.NaN)
  const [noise, ...honest] = values.toReversed()
  assert.ok(Math.min(...honest) > 0, values.join())
  assert.ok(noise! < 0.3 * Math.min(...honest), values.join())
})

test('pay is the same for every accepted claim, whatever it contributed [P-58]', async () => {
  const report = read(await reportBy(job))
  assert.deepEqual(
    report.claims.map(({ pay }) => pay),
    [10n, 10n, 10n, 10n],
  )
})

test('a job that says nothing of contributions has none, and nobody fetches the text for them [P-58]', async () => {
  const { scoreWindows: _, ...silent } = job
  const { fetched } = await programOf(silent)
  assert.deepEqual(fetched, ['train'])
  assert.deepEqual(worker.fetched, ['train', 'valid'])
  const [told, other] = [read(await reportBy(silent)), read(await reportBy(job))]
  assert.ok(told.claims.every((claim) => !('contribution' in claim)))
  assert.deepEqual(
    told.claims,
    other.claims.map(({ contribution: _, ...claim }) => claim),
  )
})

test('a text too short for one window, or of other characters, is refused before the round', async () => {
  files.short = 'the pot'
  files.strange = `${text}ß`
  await assert.rejects(programOf({ ...job, validCid: 'short' }), { code: 'SHORT_TEXT', message: /more than 8/ })
  await assert.rejects(programOf({ ...job, validCid: 'strange' }), { code: 'UNKNOWN_CHARACTER' })
})
