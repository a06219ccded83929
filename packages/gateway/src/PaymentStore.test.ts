import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { allocationHash, signReceipt, toHex } from '@potluck/protocol'
import { addressFor, secretOf } from '../test/testNetwork.ts'
import { laneTerms } from './laneTerms.ts'
import { PaymentStore } from './PaymentStore.ts'
import type { PaidStep } from './paymentRecords.ts'

const folder = mkdtempSync(join(tmpdir(), 'potluck-store-'))
after(() => rmSync(folder, { recursive: true }))

const bytes = (fill: number) => toHex(new Uint8Array(32).fill(fill))
const channelId = bytes(1)
const config = {
  ...{ payer: addressFor('payer'), signer: addressFor('signer'), operator: addressFor('operator') },
  ...{ token: addressFor('token'), withdrawDelaySeconds: 60, salt: bytes(2) },
}
const allocationTo = (provider: string) => ({
  ...{ version: 1, provider: addressFor(provider), providerShare: 1, gateway: addressFor('gateway'), gatewayShare: 1 },
})

function openStore(file = ':memory:'): PaymentStore {
  const sign = (receipt: Parameters<typeof signReceipt>[0]) => signReceipt(receipt, secretOf('node'))
  const store = new PaymentStore(file, { gateway: addressFor('gateway'), signReceipt: sign, nowMs: () => 1 })
  store.ensureLane(channelId, config, 0n, 0, 0n)
  store.ensureLane(channelId, config, 0n, 1, 0n)
  return store
}

let vouchers = 0
function step(store: PaymentStore, over: Partial<PaidStep> & { provider?: string; extra?: bigint } = {}): PaidStep {
  const allocation = allocationTo(over.provider ?? 'provider')
  const lane = over.lane ?? 0
  const expected = over.expected ?? store.lane(channelId, lane)
  if (!expected) throw new Error('no lane')
  const price = over.price ?? 10n
  const { from, due } = laneTerms(expected, allocationHash(allocation), price)
  const cumulative = due + (over.extra ?? 0n)
  const voucher = {
    channelId,
    lane,
    from,
    cumulative,
    requestHash: bytes(3),
    allocationHash: allocationHash(allocation),
  }
  const digest = toHex(new Uint8Array(32).fill(++vouchers))
  return {
    ...{ channelId, lane, allocation, expected, price, deposited: 1_000n },
    paid: { voucher: { ...voucher, signature: toHex(new Uint8Array(65)) }, digest },
    call: { id: `call ${digest}`, requestHash: bytes(3), idempotencyKey: null, version: 1, modelDigest: bytes(4) },
    ...{ promptTokens: 1, text: 'ab', completionTokens: 2, finish: 'stop' },
    ...over,
  }
}

test('takes one of two steps that were computed from the same state of a lane [G-14]', () => {
  const store = openStore()
  const [one, two] = [step(store), step(store)]
  assert.equal(store.accept(one), 'accepted')
  assert.equal(store.accept(two), 'stale')
  assert.equal(store.lane(channelId, 0)?.accepted, 10n)
  assert.equal(store.call(two.call.id), undefined)
  store.close()
})

test('never promises more than the deposit over all lanes together [G-13]', () => {
  const store = openStore()
  assert.equal(store.accept(step(store, { price: 600n })), 'accepted')
  assert.equal(store.accept(step(store, { lane: 1, price: 401n })), 'beyond-deposit')
  assert.equal(store.accept(step(store, { lane: 1, price: 400n })), 'accepted')
  assert.equal(store.promised(channelId), 1_000n)
  store.close()
})

test('takes a voucher once [G-14]', () => {
  const store = openStore()
  const first = step(store)
  assert.equal(store.accept(first), 'accepted')
  assert.equal(store.accept(step(store, { paid: first.paid, price: 0n, extra: 0n })), 'reused')
  store.close()
})

test('begins a run with each change of allocation, above everything accepted, and keeps the best voucher of each [G-12]', () => {
  const store = openStore()
  for (const provider of ['a', 'a', 'b', 'a']) store.accept(step(store, { provider, extra: 1n }))
  const runs = store.openRuns().map(({ from, cumulative, allocation }) => [from, cumulative, allocation.provider])
  // The second use of `a` is paid partly by the credit of the first.
  assert.deepEqual(runs, [
    [0n, 21n, addressFor('a')],
    [21n, 32n, addressFor('b')],
    [32n, 43n, addressFor('a')],
  ])
  store.close()
})

test('writes one receipt for steps that follow each other, two when another call came between [G-22]', () => {
  const store = openStore()
  const begin = step(store, { finish: null })
  store.accept(begin)
  store.accept(step(store, { call: begin.call, finish: null, promptTokens: 0 }))
  store.accept(step(store))
  store.accept(step(store, { call: begin.call, promptTokens: 0 }))
  const spans = store.unpublishedReceipts(10).map(({ receipt }) => [receipt.from, receipt.to, receipt.completionTokens])
  assert.deepEqual(spans, [
    [20n, 30n, 2],
    [0n, 20n, 4],
    [30n, 40n, 2],
  ])
  assert.equal(store.call(begin.call.id)?.text, 'ababab')
  store.close()
})

test('ends calls nobody came back for, with their receipt, and forgets old text', () => {
  const store = openStore()
  const open = step(store, { finish: null })
  store.accept(open)
  store.sweep({ openBeforeMs: 5, forgetBeforeMs: 0, except: new Set([open.call.id]) })
  assert.equal(store.call(open.call.id)?.finish, null)
  store.sweep({ openBeforeMs: 5, forgetBeforeMs: 5, except: new Set() })
  assert.deepEqual([store.call(open.call.id)?.finish, store.call(open.call.id)?.text], ['forgotten', ''])
  assert.equal(store.unpublishedReceipts(10).length, 1)
  store.close()
})

test('loses and doubles nothing when killed (SIGKILL) while taking vouchers [G-14]', async () => {
  const file = join(folder, 'killed.sqlite')
  for (const killAfter of [1, 7, 20]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../test/acceptForever.ts'), file])
    let told = 0n
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.trim().split('\n')
      told = BigInt(lines.at(-1) ?? 0)
      if (told >= BigInt(killAfter * 10)) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.on('close', resolve))
    const store = openStore(file)
    const lane = store.lane(channelId, 0)
    assert.ok(lane && told > 0n && lane.accepted >= told, `accepted ${lane?.accepted}, was told ${told}`)
    const receipts = store.receiptsAfter(0, 10_000)
    assert.equal(
      receipts.reduce((sum, { receipt }) => sum + receipt.to - receipt.from, 0n),
      lane.spent,
    )
    assert.equal(store.openRuns().at(-1)?.cumulative, lane.accepted)
    store.close()
  }
})
