import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encode } from '@ipld/dag-cbor'
import { claimLeafHash, type Hex, sha256, toHex } from '@potluck/protocol'
import { createLedger, type Ledger, type LedgerDeps } from '../src/createLedger.ts'
import { openDatabase } from '../src/database/openDatabase.ts'
import { type RunningPostgres, startPostgres } from '../src/postgres/startPostgres.ts'
import type { Step } from '../src/why/Step.ts'
import {
  channel,
  documents,
  gatewaySecret,
  lie,
  playLoop,
  receipt,
  receipts,
  receiptsDigest,
  report,
  rivalReport,
  USD,
  who,
} from './closedLoop.ts'
import { address, hashOf, ScriptedChain } from './ScriptedChain.ts'

const NONE: Hex = `0x${'00'.repeat(32)}`

let dir: string
let postgres: RunningPostgres
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'potluck-ledger-'))
  postgres = await startPostgres({ dir })
})
after(async () => {
  await postgres.stop()
  await rm(dir, { recursive: true, force: true })
})

let databases = 0
async function freshDatabase(): Promise<string> {
  const name = `test${++databases}`
  const pool = openDatabase(postgres.url, () => undefined)
  await pool.query(`CREATE DATABASE ${name}`)
  await pool.end()
  return postgres.url.replace(/postgres$/, name)
}

async function withLedger(
  chain: ScriptedChain,
  work: (ledger: Ledger, databaseUrl: string) => Promise<void>,
  more: Partial<LedgerDeps> = {},
): Promise<void> {
  const databaseUrl = more.databaseUrl ?? (await freshDatabase())
  const ledger = await createLedger({
    chain,
    databaseUrl,
    fetchDocument: async (digest) => documents.get(digest),
    clock: () => 100_000,
    listen: { host: '127.0.0.1', port: 0 },
    ...more,
  })
  try {
    await work(ledger, databaseUrl)
  } finally {
    await ledger.close()
  }
}

async function get(ledger: Ledger, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${ledger.url}${path}`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Everything the tables say, in a fixed order: two databases that agree here agree on all. */
async function contents(url: string): Promise<string> {
  const pool = openDatabase(url, () => undefined)
  const all: unknown[] = []
  for (const table of [
    'events',
    'versions',
    'parents',
    'payments',
    'vouchers',
    'settlements',
    'round_steps',
    'convictions',
  ]) {
    all.push(table, (await pool.query(`SELECT * FROM ${table} t ORDER BY t::text`)).rows)
  }
  all.push((await pool.query('SELECT block FROM cursor')).rows)
  await pool.end()
  return JSON.stringify(all)
}

async function why(ledger: Ledger, subject: string): Promise<Step> {
  const told = await ledger.why(subject)
  assert.ok(told, `nothing known of ${subject}`)
  return told
}

/** Fails unless siblings that carry amounts add up to their parent, all the way down. */
function assertAddsUp(told: Step): void {
  for (const children of [told.because]) {
    const paying = children.filter((child) => child.amount !== null)
    if (told.amount !== null && paying.length > 0) {
      assert.equal(
        paying.reduce((sum, child) => sum + BigInt(child.amount ?? 0), 0n),
        BigInt(told.amount),
        told.text,
      )
    }
    for (const child of children) assertAddsUp(child)
  }
}

const flat = (told: Step): Step[] => [told, ...[...told.because, ...told.leadsTo].flatMap(flat)]
const amounts = (told: Step, kind: string) =>
  flat(told)
    .filter((one) => one.kind === kind)
    .map((one) => one.amount)

test('writes the same tables from one pass, from doubled events and from a history that was rewritten [R-02, R-03, R-04]', async () => {
  const plain = new ScriptedChain()
  playLoop(plain)
  let wanted = ''
  await withLedger(plain, async (ledger, url) => {
    await ledger.catchUp()
    wanted = await contents(url)
  })

  const doubled = new ScriptedChain()
  doubled.duplicates = true
  playLoop(doubled)
  await withLedger(doubled, async (ledger, url) => {
    await ledger.catchUp()
    assert.equal(await contents(url), wanted)
  })

  // The same chain, read up to a fork that is then taken back. Its last transactions never happened.
  const rewritten = new ScriptedChain()
  await withLedger(rewritten, async (ledger, url) => {
    const pay = (amount: bigint) =>
      rewritten.mine(['assets.Paid', { version: 9n, token: USD, payer: who.payer, amount }])
    for (const amount of [1n, 2n, 8n]) {
      pay(amount)
      await ledger.catchUp()
    }
    rewritten.forget(2)
    pay(4n)
    await ledger.catchUp()
    const pool = openDatabase(url, () => undefined)
    assert.deepEqual((await pool.query('SELECT amount FROM payments ORDER BY seq')).rows, [
      { amount: '1' },
      { amount: '4' },
    ])
    await pool.end()
    assert.equal((await ledger.health()).rollBacks, 1)
    assert.equal((await ledger.health()).block, 2)
  })
})

test('goes on after every kind of interruption without losing or doubling anything [R-01]', async () => {
  const plain = new ScriptedChain()
  playLoop(plain)
  let wanted = ''
  await withLedger(plain, async (ledger, url) => {
    await ledger.catchUp()
    wanted = await contents(url)
  })

  // Another process on the same tables, a server killed in the middle, a ledger closed and opened again.
  const chain = new ScriptedChain()
  const databaseUrl = await freshDatabase()
  let killing = true
  const events = chain.events.bind(chain)
  chain.events = async (range) => {
    const found = await events(range)
    if (killing) {
      killing = false
      process.kill(postgres.pid, 'SIGKILL')
      await postgres.exited
    }
    return found
  }
  playLoop(chain)
  await withLedger(
    chain,
    async (ledger) => {
      await assert.rejects(ledger.catchUp())
      assert.equal((await ledger.health()).database, 'down')
      assert.equal((await get(ledger, '/jobs')).status, 503)
      postgres = await startPostgres({ dir })
      await ledger.catchUp()
      assert.equal((await ledger.health()).ok, true)
      await withLedger(chain, async (second) => second.catchUp(), { databaseUrl })
    },
    { databaseUrl },
  )
  assert.equal(await contents(databaseUrl), wanted)
})

test('takes the largest values that anybody can make the contracts emit [R-01]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  const most = 2n ** 64n - 1n
  const largest = {
    token: USD,
    rounds: 2 ** 32 - 1,
    payPerRound: 2n ** 95n,
    trustClass: 2,
    specDigest: `0x${'0'.repeat(64)}`,
  }
  chain.mine(
    [
      'registry.Registered',
      { node: who.payer, key: who.payer, roles: 2 ** 32 - 1, endpoint: `a\0b${'x'.repeat(9_000)}` },
    ],
    ['jobs.JobCreated', { jobId: 2n, builder: who.payer, terms: largest }],
    [
      'jobs.SetFixed',
      { jobId: 2n, round: 2 ** 32 - 1, setRoot: lie, count: 2 ** 32 - 1, directHash: lie, signerBits: 2n ** 256n - 1n },
    ],
    ['assets.Paid', { version: 1n, token: USD, payer: who.payer, amount: 2n ** 128n - 1n }],
    ['assets.ContributorCredited', { version: 1n, token: USD, account: who.payer, index: most, amount: 1n }],
  )
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    assert.equal((await ledger.health()).lagBlocks, 0)
    assert.equal((await ledger.why('version/1'))?.kind, 'version')
    assert.equal((await get(ledger, '/jobs/2')).status, 200)
  })
})

test('explains a withdrawal down to the calls, each level adding up to the unit [R-30, R-31, R-32]', async () => {
  const chain = new ScriptedChain()
  const { withdrawal } = playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    assert.deepEqual(await ledger.ingestReceipts(receipts), { stored: 3, refused: [] })
    const told = await why(ledger, withdrawal)
    assert.equal(told.amount, '28')
    assertAddsUp(told)
    assert.deepEqual(amounts(told, 'training-price'), ['5'])
    assert.deepEqual(amounts(told, 'pulled'), ['23'])
    assert.deepEqual(amounts(told, 'voucher'), ['15', '8'])
    assert.deepEqual(amounts(told, 'receipt'), ['6', '9', '7'])
    assert.deepEqual(amounts(told, 'no-receipt'), ['1'])
    const call = flat(told).find((one) => one.kind === 'receipt')
    assert.equal(call?.refs.requestHash, hashOf('call 1'))
  })
})

test('follows a call to everyone it paid, with the units that the way back names [R-33]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    await ledger.ingestReceipts(receipts)
    const parts = { provider: 0n, gateway: 0n, up: 0n, out: 0n }
    for (const name of ['call 1', 'call 2', 'call 3']) {
      const told = await why(ledger, hashOf(name))
      const sum = (kind: string) => amounts(told, kind).reduce((total, one) => total + BigInt(one ?? 0), 0n)
      parts.provider += sum('provider-part')
      parts.gateway += sum('gateway-part')
      parts.up += sum('pulled')
      parts.out += sum('withdrawal')
      if (name === 'call 1') {
        assert.deepEqual(amounts(told, 'pulled'), ['6'])
        // What it is made of stands under the call as well.
        assert.ok(flat(told).some((one) => one.kind === 'parent' && one.refs.version === 1))
      }
    }
    // All but the units that belong to the part of the second voucher for which there is no receipt.
    assert.deepEqual(parts, { provider: 45n, gateway: 14n, up: 22n, out: 22n })
  })
})

test('tells of a proposer that was convicted: the dispute over its result, or that there was none [R-37]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  const [proposer, other, rival] = [address('proposer'), address('other proposer'), address('rival')]
  const roots = { baseRoot: hashOf('base'), stateRoot: hashOf('twisted'), runRoot: hashOf('run') }
  const terms = { token: USD, rounds: 1, payPerRound: 100n, trustClass: 0, specDigest: NONE, baseRoot: roots.baseRoot }
  const proposal = { ...roots, stateDigest: NONE, payoutRoot: NONE, auditRoot: NONE, payoutTotal: 0n, convictions: 0 }
  const subject = claimLeafHash(2, 0, {
    ...{ worker: proposer, share: 0xffffffff, units: 0, baseRoot: roots.baseRoot },
    ...{ updateDigest: NONE, updateRoot: roots.stateRoot, statesRoot: roots.runRoot },
  })
  chain.mine(
    ['jobs.JobCreated', { jobId: 2n, builder: who.builder, terms }],
    ['jobs.RoundOpened', { jobId: 2n, round: 0, attempt: 1, committeeSeed: NONE }],
    ['jobs.Proposed', { jobId: 2n, round: 0, proposer, proposal, proposalHash: hashOf('proposal') }],
    ['referee.Challenged', { id: 9n, jobId: 2n, subject, challenger: rival, round: 0, segment: 3, standUpUntil: 100 }],
  )
  const tx = chain.mine(
    ['jobs.ProposalConvicted', { jobId: 2n, round: 0, proposer, subject: hashOf('proposal'), slashed: 10n }],
    ['jobs.ProposalConvicted', { jobId: 2n, round: 0, proposer: other, subject: hashOf('another'), slashed: 10n }],
  )
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    for (const asked of ['job/2', 'job/2/1', `job/2/1/${proposer}`]) {
      const told = flat(await why(ledger, asked)).filter(({ kind }) => kind === 'conviction')
      assert.equal(told.length, asked.endsWith(proposer) ? 1 : 2)
      assert.match(told[0]?.text ?? '', /The result that .* proposed for round 1 was found wrong by the referee/)
      assert.equal(told[0]?.refs.tx, tx)
      assert.match(told[0]?.because[0]?.text ?? '', /challenged segment 3 .* Nobody stood up for it/)
      assert.deepEqual(told[1]?.because ?? [], [])
    }
  })
})

test('explains a zero: the lie, who recomputed it, what was slashed and burned [R-35]', async () => {
  const chain = new ScriptedChain()
  const { conviction } = playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    const told = await why(ledger, `job/1/1/${who.liar}`)
    assert.equal(told.amount, '0')
    assert.match(told.text, /recomputed and found wrong/)
    const convicted = flat(told).find((one) => one.kind === 'conviction')
    assert.equal(convicted?.refs.tx, conviction)
    assert.match(
      convicted?.text ?? '',
      /0\.00000000000000001 SALT of its bond slashed, 0\.000000000000000006 SALT of that burned/,
    )
    assert.equal(convicted?.because.length, 2)
    const [played, unanswered] = convicted?.because ?? []
    assert.match(
      played?.because[0]?.text ?? '',
      /stood up for it and lost after 4 moves: the contract did one operation/,
    )
    assert.match(unanswered?.text ?? '', /Nobody stood up for it\./)
    assert.ok(flat(told).some((one) => one.kind === 'audit-wrong'))
    assert.ok(told.because.some((one) => one.id.endsWith(lie)))
  })
})

test('tells a worker what its updates took off the loss, what of it counts, where it stands, and that pay does not follow [R-38]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    const told = await why(ledger, `job/1/1/${who.honest}`)
    assertAddsUp(told)
    const texts = (told: Step, kind: string) => flat(told).flatMap((one) => (one.kind === kind ? [one.text] : []))
    assert.deepEqual(texts(told, 'contribution'), [
      'On text drawn for the round its update took 0.05234 nats off the loss. Of it 0.041 counts, the most in this round.',
      'On text drawn for the round its update added 0.0015 nats to the loss. All of it counts for its score.',
    ])
    const pay = 'No pay follows from scores: the job pays every accepted claim the same.'
    assert.deepEqual(texts(told, 'score'), [
      `Over 1 round so far its updates took 0.05084 nats off the loss. Its score, what counts of that, is 0.0395: 100 % of all scores, place 1 of 2. ${pay}`,
    ])
    const copier = await why(ledger, `job/1/1/${who.second}`)
    assert.match(
      texts(copier, 'contribution-copy')[0] ?? '',
      /took 0\.01 nats off the loss\. None of it counts .* It is taken for a copy: it is more like that of share 0 by 0x/,
    )
    // It is paid all the same.
    assert.match(copier.text, /is paid 0\.00003 USD/)
    for (const subject of [who.second, 'job/1', `job/1/${who.second}`])
      assert.match(
        texts(await why(ledger, subject), 'score').join(),
        /Its score, .* is 0: 0 % of all scores, place 2 of 2/,
      )
    // A claim that takes no part has nothing to be told.
    assert.deepEqual(texts(await why(ledger, `job/1/1/${who.liar}`), 'score'), [])
  })
})

test('says nothing of contributions where a report has none, as in older jobs [R-38]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  const old = encode({ ...rivalReport, claims: rivalReport.claims.map(({ contribution: _, ...claim }) => claim) })
  const digest = toHex(sha256(old))
  const events = await chain.events({ fromBlock: 0n, toBlock: await chain.blockNumber() })
  const final = events.find(({ name }) => name === 'RoundFinal')
  assert.ok(final)
  ;(final.args.proposal as { auditRoot: Hex }).auditRoot = digest
  const fetchDocument = async (asked: Hex) => (asked === digest ? old : documents.get(asked))
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      const told = await why(ledger, `job/1/1/${who.honest}`)
      assert.match(told.text, /is paid 0\.00007 USD/)
      assert.ok(flat(told).some(({ kind }) => kind === 'weight'))
      assert.ok(flat(told).every(({ kind }) => !/contribution|score/.test(kind)))
    },
    { fetchDocument },
  )
})

test('explains why a worker that died got nothing, and who took its share over [R-36]', async () => {
  const chain = new ScriptedChain()
  const { workPay } = playLoop(chain)
  let beat:
    | ((
        body: { job: number; round: number; share: number; step: number; steps: number; lossMilli: number },
        from: Hex,
        atMs: number,
      ) => void)
    | undefined
  const onBeat: LedgerDeps['onBeat'] = (handler) => {
    beat = handler
    return () => undefined
  }
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      beat?.({ job: 1, round: 0, share: 3, step: 5, steps: 20, lossMilli: 4_000 }, who.killed, 50_000)
      for (let i = 0; i < 50; i++) {
        const told = await why(ledger, `job/1/1/${who.killed}`)
        assert.match(told.text, /paid 0 USD|paid 0 for round 1 of job 1, because it delivered no claim/)
        if (told.because[0]?.text.includes('step 5 of 20 of share 3')) {
          assert.match(told.because[0].text, /took the share over and delivered it/)
          assert.equal(told.because[0].refs.account, who.honest)
          break
        }
        assert.ok(i < 49, 'the beat was not kept')
        await new Promise((done) => setTimeout(done, 20))
      }
      const paid = await why(ledger, workPay)
      assert.equal(paid.amount, '70')
      assertAddsUp(paid)
    },
    { onBeat },
  )
})

test('balances every contract and all together to the unit, also where old states are pruned [R-40, R-41]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    for (const pruned of [false, true]) {
      chain.pruned = pruned
      const { balanced, tokens } = await ledger.reconcile()
      const usd = tokens.find((one) => one.token === USD)
      const { paidIn, withdrawn, owed, dust, held } = usd ?? assert.fail('no USD')
      // In: deposit 1000, escrow 300, training price 5. Out: 28 and 70. Dust: 2 in version 2 and 1 among its contributors.
      assert.deepEqual(
        { paidIn, withdrawn, owed, dust, held },
        { paidIn: 1305n, withdrawn: 98n, owed: 1204n, dust: 3n, held: 1207n },
      )
      assert.equal(balanced, true)
    }
    chain.balances.set(`${USD}/${chain.deployment.contracts.assets}`, 71n)
    assert.equal((await ledger.reconcile()).balanced, false)
  })
})

test('states what each account earned with what; earned = withdrawn + credited + waiting [R-45]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    const of = async (account: Hex) =>
      ((await get(ledger, `/statement/${account}`)).body as { tokens: Record<string, unknown>[] }).tokens[0]
    const pick = ({ earned, withdrawn, credited, waiting }: Record<string, unknown> = {}) => ({
      earned,
      withdrawn,
      credited,
      waiting,
    })
    assert.deepEqual(pick(await of(who.hospital)), { earned: '28', withdrawn: '28', credited: '0', waiting: '0' })
    assert.deepEqual(pick(await of(who.builder)), { earned: '61', withdrawn: '0', credited: '0', waiting: '61' })
    assert.deepEqual(pick(await of(who.honest)), { earned: '76', withdrawn: '70', credited: '6', waiting: '0' })
    assert.deepEqual(pick(await of(who.second)), { earned: '32', withdrawn: '0', credited: '0', waiting: '32' })
    assert.deepEqual(pick(await of(who.provider)), { earned: '47', withdrawn: '0', credited: '47', waiting: '0' })
  })
})

test('asks again, later and later, for documents that nobody has yet; the cursor does not wait [R-11]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  let now = 100_000
  const asked: Hex[] = []
  let online = false
  const fetchDocument = async (digest: Hex) => {
    asked.push(digest)
    return online ? documents.get(digest) : undefined
  }
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      assert.equal((await ledger.health()).lagBlocks, 0)
      assert.match((await why(ledger, `job/1/1/${who.liar}`)).text, /has not come in yet/)
      const before = asked.length
      await ledger.catchUp()
      assert.equal(asked.length, before, 'not asked again before its time')
      online = true
      now += 120_000
      await ledger.catchUp()
      assert.match((await why(ledger, `job/1/1/${who.liar}`)).text, /found wrong/)
    },
    { fetchDocument, clock: () => now },
  )
})

test('asks again after wrong bytes, never after a wrong document, and believes only the final report [R-10, R-12]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  // A rival report on the same round, named by a proposal that never became final; and bytes that are no document.
  const kindness = {
    ...rivalReport,
    claims: rivalReport.claims.map((one) => ({ ...one, outcome: 'matches', pay: '1000' })),
  }
  const served = new Map(documents)
  const put = (bytes: Uint8Array): Hex => {
    const digest = toHex(sha256(bytes))
    served.set(digest, bytes)
    return digest
  }
  const proposal = (auditRoot: Hex) => {
    const roots = { stateDigest: hashOf('s'), stateRoot: hashOf('s'), payoutRoot: hashOf('p'), runRoot: hashOf('r') }
    const proposal = { ...roots, auditRoot, payoutTotal: 1_000n, convictions: 0 }
    return { jobId: 1n, round: 0, proposer: address('v'), proposal, proposalHash: hashOf('x') }
  }
  const junk = put(encode({ type: 'nothing we know' }))
  chain.mine(['jobs.Proposed', proposal(put(encode(kindness)))], ['jobs.Proposed', proposal(junk)])
  let now = 100_000
  let lying = true
  const asked: Hex[] = []
  const fetchDocument = async (digest: Hex) => {
    asked.push(digest)
    return lying && digest === report ? new Uint8Array(9) : served.get(digest)
  }
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      assert.match((await why(ledger, `job/1/1/${who.liar}`)).text, /has not come in yet/)
      lying = false
      now += 120_000
      await ledger.catchUp()
      const told = await why(ledger, `job/1/1/${who.liar}`)
      assert.match(told.text, /found wrong/)
      assert.equal(told.amount, '0')
      assert.equal(asked.filter((digest) => digest === junk).length, 1)
      assert.equal(asked.filter((digest) => digest === report).length, 2)
    },
    { fetchDocument, clock: () => now },
  )
})

test('keeps a receipt only when a gateway of the registry signed it, and each only once [R-20, R-21]', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  let announce: ((body: { digest: Hex; count: number; url: string }) => void) | undefined
  const onReceipts: LedgerDeps['onReceipts'] = (handler) => {
    announce = handler
    return () => undefined
  }
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      announce?.({ digest: receiptsDigest, count: 3, url: 'http://127.0.0.1:1' })
      await ledger.catchUp()
      assert.equal((await ledger.ingestReceipts(receipts)).stored, 0, 'gossip brought them')
      const stranger = receipt('call 4', 0, 101n, 110n, new Uint8Array(32).fill(3))
      const tampered = { ...receipt('call 5', 0, 101n, 110n), to: 200n }
      const shrinking = receipt('call 6', 0, 110n, 101n, gatewaySecret)
      const { stored, refused } = await ledger.ingestReceipts([stranger, tampered, shrinking])
      assert.equal(stored, 0)
      assert.deepEqual(
        refused.map((one) => one.later),
        [true, true, false],
      )
    },
    { onReceipts },
  )
})

test('tells of a model what its builder measured of its resistance to poisoning, and where nothing was', async () => {
  const resistance = {
    scorePpm: 831_000,
    worst: 'noise',
    attackersPpm: 400_000,
    cleanPpm: 700_000,
    worstAccuracyPpm: 600_000,
  }
  const config = { vocabulary: 'ab', context: 8, width: 8, layers: 1, heads: 1, hidden: 16 }
  const rates = { learningRate: 0.01, weightDecay: 0, warmupSteps: 0, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }
  const job = {
    ...{ type: 'job', kind: 'language', name: 'Verses', description: '', workSeconds: 30, silenceSeconds: 3 },
    ...{ trainCid: 'bafy', validCid: 'bafy', seed: NONE, shares: 5 },
    recipe: { config, batch: 1, steps: 1, stateEverySteps: 1, ...rates },
    audit: { gainPpm: 1, colludingPpm: 0, auditors: 1, saltPriceE18: '1', newClaims: 3 },
  }
  const known = new Map([{ ...job, resistance }, job].map((one) => [toHex(sha256(encode(one))), encode(one)] as const))
  const chain = new ScriptedChain()
  const terms = {
    codec: 0x55,
    purposes: 31,
    minShare: 0,
    contributorsShare: 0,
    trainPrice: 0n,
    digest: NONE,
    root: NONE,
  }
  const rest = { licenceDigest: NONE, contributorsRoot: NONE, contributorsTotal: 0n, parents: [], shares: [] }
  for (const [i, metadataDigest] of [...known.keys()].entries()) {
    const assetId = BigInt(i + 1)
    chain.mine(
      ['assets.Transfer', { from: address('zero'), to: who.builder, tokenId: assetId }],
      ['assets.AssetCreated', { assetId, owner: who.builder, originator: who.builder, tokens: [USD] }],
      [
        'assets.VersionAdded',
        { assetId, version: assetId, originator: who.builder, terms: { ...terms, ...rest, metadataDigest } },
      ],
    )
  }
  const fetchDocument = async (asked: Hex) => known.get(asked)
  await withLedger(
    chain,
    async (ledger) => {
      await ledger.catchUp()
      const told = async (version: number) =>
        flat(await why(ledger, `version/${version}`)).find(({ kind }) => kind === 'resistance')?.text
      assert.match(
        (await told(1)) ?? '',
        /^Its poisoning resistance: 0\.831 of 1 with 40\.0 % lying, decided by noise; .* its builder measured/,
      )
      assert.equal(await told(2), 'Its poisoning resistance: not measured.')
    },
    { fetchDocument },
  )
})

test('answers garbage with one error shape and stays up', async () => {
  const chain = new ScriptedChain()
  playLoop(chain)
  await withLedger(chain, async (ledger) => {
    await ledger.catchUp()
    const cases: [string, number, string][] = [
      ['/why/nonsense', 400, 'BAD_REQUEST'],
      ['/why/job/1/1/0x12', 400, 'BAD_REQUEST'],
      ['/why/job/1/0', 400, 'BAD_REQUEST'],
      [`/why/${hashOf('unknown')}`, 404, 'NOT_FOUND'],
      ['/why/version/1?most=0', 400, 'BAD_REQUEST'],
      [`/statement/${channel}`, 400, 'BAD_REQUEST'],
      ["/jobs/1'--", 400, 'BAD_REQUEST'],
      ['/jobs/9', 404, 'NOT_FOUND'],
      ['/nowhere', 404, 'NOT_FOUND'],
    ]
    for (const [path, status, code] of cases) {
      const { status: seen, body } = await get(ledger, path)
      assert.equal(seen, status, path)
      const error = body.error as Record<string, unknown>
      assert.deepEqual(Object.keys(error).sort(), ['code', 'facts', 'message'])
      assert.equal(error.code, code)
    }
    for (const path of [
      '/health',
      '/jobs',
      '/jobs/1',
      '/versions/2/provenance',
      '/reconcile',
      '/why/version/2',
      `/why/${who.honest}`,
    ]) {
      assert.equal((await get(ledger, path)).status, 200, path)
    }
    assert.match(await (await fetch(`${ledger.url}/metrics`)).text(), /potluck_ledger_payments\{kind="withdrawn"\} 1/)
  })
})
