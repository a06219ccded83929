/** What one validator makes of a set whose claims and audits are settled. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '@ipld/dag-cbor'
import { auditReport, type Claim, type Hex, sha256, toHex, utf8 } from '@potluck/protocol'
import { memoryBlockStore } from '@potluck/store'
import { type JobView, Phase } from '../JobView.ts'
import type { AggregateTask } from '../program/JobProgram.ts'
import { type Assessment, conclude, convictionsNow } from './assessment.ts'

const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const updateOf = (worker: Hex): Uint8Array => utf8(`update of ${worker}`)
const claim = (share: number, i: number): Claim => ({
  worker: node(i),
  share,
  units: 1,
  baseRoot: hash('00'),
  updateDigest: toHex(sha256(updateOf(node(i)))),
  updateRoot: hash('01'),
  statesRoot: hash('02'),
})
const run = [hash('05'), hash('06')]
/** The second claim for share 1, and one for a share that the job does not have. */
const claims = [claim(0, 0), claim(1, 1), claim(1, 2), claim(2, 3), claim(3, 4)]

/** A job of three shares in which these nodes were convicted, in this order; `named`: how many a proposal on chain says. */
function viewOf(expelled: Hex[], named?: number) {
  const tasks: AggregateTask[] = []
  const view = {
    job: 1,
    round: 0,
    status: {
      phase: named === undefined ? Phase.propose : Phase.challenge,
      beacon: hash('07'),
      proposal: { convictions: named ?? 0 },
    },
    facts: { expelled: new Set(expelled) },
    ports: {
      store: memoryBlockStore(),
      fetch: async (digest: Hex) =>
        claims.map(({ worker }) => updateOf(worker)).find((u) => toHex(sha256(u)) === digest),
    },
    program: {
      shares: 3,
      async aggregate(task: AggregateTask) {
        tasks.push(task)
        return { state: utf8('next'), weightsPpm: task.updates.map((_, i) => i + 1), run }
      },
    },
    directory: { urlOf: () => undefined },
    baseState: async () => utf8('base'),
    sources: () => [],
  } as unknown as JobView
  return { view, tasks }
}

const assessment = (): Assessment => ({
  key: '',
  claims,
  hashes: claims.map((_, i) => hash(`1${i}`)),
  states: [],
  draws: claims.map((_, index) => ({ index, ratePpm: 0, auditor: index === 1 ? node(9) : null, probeStep: 1 })),
  paidBefore: [],
  sharePay: 10n,
  ownChecks: new Map(),
})

async function reported(view: JobView) {
  const result = await conclude(view, assessment())
  const { claims: rows, run } = auditReport.parse(decode(result.report))
  return { result, run, rows: rows.map(({ outcome, weightPpm, pay }) => [outcome, weightPpm, pay]) }
}

test('a result is made of one claim a share, of those the job has, by workers not convicted [P-51]', async () => {
  const { view, tasks } = viewOf([node(1), node(8)])
  const { result, rows, run: told } = await reported(view)
  assert.deepEqual(
    tasks[0]?.updates,
    [claims[0], claims[2], claims[3]].map((each) => ({ share: each?.share, update: updateOf(each?.worker as Hex) })),
  )
  assert.deepEqual(rows, [
    ['not-drawn', 1, 10n],
    ['wrong', 0, 0n],
    ['not-drawn', 2, 10n],
    ['not-drawn', 3, 10n],
    ['left-out', 0, 0n],
  ])
  assert.deepEqual([result.convictions, result.proposal.convictions, result.proposal.payoutTotal], [2, 2, 30n])
  assert.deepEqual(told, run)
})

test('a proposal is judged by the convictions it names, not by later ones [P-51]', async () => {
  const first = viewOf([node(1)]).view
  const later = viewOf([node(1), node(0)], 1).view
  assert.deepEqual([convictionsNow(first), convictionsNow(later), convictionsNow(viewOf([node(1)], 0).view)], [1, 1, 0])
  assert.equal((await conclude(later, assessment())).hash, (await conclude(first, assessment())).hash)
  const { rows } = await reported(viewOf([node(1)], 0).view)
  assert.deepEqual(rows[1], ['matches', 2, 10n])
  assert.deepEqual(rows[2], ['left-out', 0, 0n])
  await assert.rejects(conclude(viewOf([node(1)], 2).view, assessment()), { code: 'VIEW_BEHIND' })
})
