/** What one validator does about a proposal, by how it differs from its own result. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimLeafHash, type Hex, type Proposal, proposalHash, sha256, toHex, utf8 } from '@potluck/protocol'
import { demoJob, resultClaim } from '@potluck/referee'
import type { Dispute } from '../JobFacts.ts'
import type { JobView } from '../JobView.ts'
import { resultDocuments } from '../round/resultDocuments.ts'
import type { Assessment } from './assessment.ts'
import { createObjections } from './objections.ts'

const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const [proposer, me, other] = [node(1), node(2), node(3)]
const documents = resultDocuments({
  ...{ job: 1, round: 0, beacon: hash('07'), claims: [], stateDigest: hash('03'), stateRoot: hash('04') },
  leaves: [{ account: node(9), amount: 5n }],
  run: [hash('05'), hash('06')],
  convictions: 0,
})
const found = {
  ...documents,
  hash: proposalHash(1, 0, documents.proposal),
  state: utf8('state'),
  convictions: 0,
}
const CHALLENGE_SECONDS = 10
const assessment = { claims: [], paidBefore: [] } as unknown as Assessment

type Given = {
  changes?: Partial<Proposal>
  dispute?: Dispute
  afterMs?: number
  isVotedDown?: boolean
  /** Blocks that can be fetched, by digest. */
  blocks?: Uint8Array[]
  /** What it found itself, when not the one of all tests. */
  own?: typeof found
}

/** Looks once; gives the standing, what was sent to the referee, and what was voted for. */
async function look(given: Given) {
  const { changes = {}, dispute, afterMs = 9_000, isVotedDown = false, blocks = [], own = found } = given
  const sent: string[] = []
  const votes: Hex[] = []
  /** What it set out to do at the referee; here it gets no further than the base state. */
  const begun: string[] = []
  const proposal = { ...own.proposal, ...changes }
  const claim = resultClaim({
    proposer,
    baseRoot: hash('00'),
    stateRoot: proposal.stateRoot,
    runRoot: proposal.runRoot,
  })
  const subject = claimLeafHash(1, 0, { ...claim, units: 0 })
  const view = {
    ...{ job: 1, round: 0, baseRoot: hash('00'), nowMs: 1_000_000 + afterMs, identity: { node: me } },
    status: { proposer, proposal, proposalHash: proposalHash(1, 0, proposal), proposedAt: 1_000n, beacon: hash('07') },
    terms: { challengeSeconds: CHALLENGE_SECONDS },
    facts: {
      disputes: new Map(dispute ? [[subject, dispute]] : []),
      validators: [me, proposer, other],
      expelled: new Set(),
    },
    program: { exact: { job: demoJob() }, shares: 1 },
    ports: {
      log: (_: string, event: string) =>
        void (event.endsWith(': not now') && begun.push(event.replace(': not now', ''))),
      signal: new AbortController().signal,
      chain: {
        ...{ read: { referee: {} }, deployment: { block: 0 } },
        async sendCall(_: string, name: string) {
          sent.push(name)
          return { gasUsed: 0n }
        },
      },
      async fetch(digest: Hex) {
        const found = blocks.find((bytes) => toHex(sha256(bytes)) === digest)
        if (!found) throw new Error('nobody has it')
        return found
      },
    },
    sources: () => [],
    baseState: () => Promise.reject(new Error('no state here')),
    act: async (_: string, send: () => Promise<unknown>) => Boolean(await send()),
  } as unknown as JobView
  const objections = createObjections(async (_, subjectOfVote, found) => {
    assert.equal(subjectOfVote, view.status.proposalHash)
    votes.push(found)
    return isVotedDown
  })
  const standing = await objections.pursue(view, 0, assessment, own)
  await new Promise((resolve) => setTimeout(resolve, 20))
  return { standing, sent, votes, begun }
}

const open = (challenger: Hex): Dispute => ({ open: new Map([[1, challenger]]), isWrong: false })

test('leaves a result alone that is its own, and lets nobody make it final while a challenge is open [D-23]', async () => {
  assert.deepEqual(await look({}), { standing: 'right', sent: [], votes: [], begun: [] })
  const early = await look({ dispute: open(other), afterMs: 0 })
  assert.deepEqual([early.standing, early.begun], ['open', []])
  // The proposer comes first; when it has been silent for a while, others stand in.
  const late = await look({ dispute: open(other) })
  assert.deepEqual([late.standing, late.begun], ['open', ['stands up for a result']])
})

test('says wrong once the referee has [D-22]', async () => {
  assert.equal((await look({ dispute: { open: new Map(), isWrong: true } })).standing, 'wrong')
})

test('objects to another model, and not twice where somebody has challenged it [D-23]', async () => {
  for (const changes of [{ stateRoot: hash('44') }, { runRoot: hash('44') }]) {
    const first = await look({ changes })
    assert.deepEqual([first.standing, first.begun], ['objected', ['disputes a result']])
    const second = await look({ changes, dispute: open(other) })
    assert.deepEqual([second.standing, second.begun], ['objected', []])
  }
})

test('strikes other payouts, without a vote [D-25]', async () => {
  const changed = [{ payoutRoot: hash('44') }, { payoutTotal: 6n }]
  for (const changes of changed) {
    assert.deepEqual(await look({ changes }), { standing: 'objected', sent: ['strikePayouts'], votes: [], begun: [] })
  }
})

test('votes for the right digest of the same model, and strikes when two thirds did [D-22]', async () => {
  const changes = { stateDigest: hash('44') }
  const right = found.hash
  assert.deepEqual(await look({ changes }), { standing: 'objected', sent: [], votes: [right], begun: [] })
  assert.deepEqual(await look({ changes, isVotedDown: true }), {
    standing: 'objected',
    sent: ['strikeDigests'],
    votes: [right],
    begun: [],
  })
})

test('votes against a report that tells other contributions, with the right one everywhere else [P-58]', async () => {
  const entry = {
    ...{ hash: hash('10'), worker: node(4), share: 0, ratePpm: 0, auditor: null, outcome: 'not-drawn' as const },
    ...{ weightPpm: 1_000_000, pay: 5n },
  }
  const reportWith = (valueMicro: number) =>
    resultDocuments({
      ...{ job: 1, round: 0, beacon: hash('07'), stateDigest: hash('03'), stateRoot: hash('04') },
      leaves: [{ account: node(9), amount: 5n }],
      run: [hash('05'), hash('06')],
      claims: [{ ...entry, contribution: { valueMicro, countedMicro: valueMicro, finding: null } }],
      convictions: 0,
    })
  const [right, wrong] = [reportWith(1_000), reportWith(9_000)]
  const given = { changes: { auditRoot: wrong.proposal.auditRoot }, blocks: [wrong.report] }
  const mine = { ...found, ...right, hash: proposalHash(1, 0, right.proposal) }
  const told = await look({ ...given, own: mine })
  const without = proposalHash(1, 0, { ...right.proposal, auditRoot: hash('00') })
  assert.deepEqual(told, { standing: 'objected', sent: [], votes: [without], begun: [] })
  const agreed = await look({ changes: { auditRoot: right.proposal.auditRoot }, own: mine })
  assert.equal(agreed.standing, 'right')
})

test('accepts a report that tells audits otherwise, waits for one that is not there yet, and votes against none [D-22]', async () => {
  const told = resultDocuments({
    ...{ job: 1, round: 0, beacon: hash('08'), claims: [], stateDigest: hash('03'), stateRoot: hash('04') },
    leaves: [{ account: node(9), amount: 5n }],
    run: [hash('05'), hash('06')],
    convictions: 0,
  })
  const changes = { auditRoot: told.proposal.auditRoot }
  assert.notEqual(changes.auditRoot, found.proposal.auditRoot)
  assert.deepEqual(await look({ changes, blocks: [told.report] }), {
    standing: 'right',
    sent: [],
    votes: [],
    begun: [],
  })
  assert.deepEqual(await look({ changes, afterMs: 1_000 }), { standing: 'unsure', sent: [], votes: [], begun: [] })
  const without = proposalHash(1, 0, { ...found.proposal, auditRoot: hash('00') })
  assert.deepEqual(await look({ changes }), { standing: 'objected', sent: [], votes: [without], begun: [] })
})
