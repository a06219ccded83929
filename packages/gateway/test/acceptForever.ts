/** Takes vouchers of 10 units in lane 0 until it is killed; tells each on its output once it is on disk. */
import { writeSync } from 'node:fs'
import { allocationHash, signReceipt, toHex } from '@potluck/protocol'
import { laneTerms } from '../src/laneTerms.ts'
import { PaymentStore } from '../src/PaymentStore.ts'
import { addressFor, secretOf } from './testNetwork.ts'

const bytes = (fill: number) => toHex(new Uint8Array(32).fill(fill))
const channelId = bytes(1)
const config = {
  ...{ payer: addressFor('payer'), signer: addressFor('signer'), operator: addressFor('operator') },
  ...{ token: addressFor('token'), withdrawDelaySeconds: 60, salt: bytes(2) },
}
const [provider, gateway] = [addressFor('provider'), addressFor('gateway')]
const allocation = { version: 1, provider, providerShare: 1, gateway, gatewayShare: 1 }
const hash = allocationHash(allocation)
const store = new PaymentStore(process.argv[2] ?? ':memory:', {
  gateway,
  signReceipt: (receipt) => signReceipt(receipt, secretOf('node')),
  nowMs: () => 1,
})
store.ensureLane(channelId, config, 0n, 0, 0n)
for (;;) {
  const expected = store.lane(channelId, 0)
  if (!expected) throw new Error('the lane is missing')
  const { from, due } = laneTerms(expected, hash, 10n)
  const voucher = { channelId, lane: 0, from, cumulative: due, requestHash: bytes(3), allocationHash: hash }
  const outcome = store.accept({
    ...{ channelId, lane: 0, allocation, expected, price: 10n, deposited: 1_000_000n },
    paid: {
      voucher: { ...voucher, signature: toHex(new Uint8Array(65)) },
      digest: toHex(new TextEncoder().encode(`voucher ${due}`)),
    },
    call: { id: `call ${due}`, requestHash: bytes(3), idempotencyKey: null, version: 1, modelDigest: bytes(4) },
    ...{ promptTokens: 1, text: 'ab', completionTokens: 2, finish: 'stop' },
  })
  if (outcome !== 'accepted') throw new Error(outcome)
  writeSync(1, `${due}\n`)
}
