import {
  channelIdOf,
  channelsDomain,
  decodeVoucherHeader,
  fields as f,
  type Hex,
  receiptWire,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ApiError } from './ApiError.ts'
import type { ChannelLedger } from './ChannelLedger.ts'
import { parseBody } from './requestBodies.ts'
import type { RouteDeps } from './textRoutes.ts'

const MAX_RECEIPTS = 500
const postedVoucher = z.object({ voucher: z.string().min(1) }).strict()
const receiptsQuery = z.object({ after: z.coerce.number().int().min(0).default(0) })

/** What a payer asks a gateway about money. */
export function moneyRoutes(app: FastifyInstance, deps: RouteDeps, ledger: ChannelLedger): void {
  const { store, desk } = deps
  const domain = channelsDomain(ledger.chainId, ledger.channels)

  const laneJson = (channelId: Hex, lane: number) => {
    const state = store.lane(channelId, lane)
    return { channelId, lane, accepted: String(state?.accepted ?? 0n), spent: String(state?.spent ?? 0n) }
  }

  app.post('/potluck/vouchers', async (request) => {
    const inHeader = request.headers['potluck-voucher']
    const text = typeof inHeader === 'string' ? inHeader : parseBody(postedVoucher, request.body).voucher
    const voucher = decodeVoucherHeader(text)
    // Repeating a voucher that was taken is no fault: the first answer may have been lost.
    const isKnown = store.callOfVoucher(toHex(voucherDigest(domain, voucher))) !== undefined
    if (!isKnown) await desk.waiting.offer(voucher)
    return laneJson(voucher.channelId, voucher.lane)
  })

  app.get<{ Params: { id: string } }>('/potluck/channels/:id', async (request) => {
    const id = f.hash.safeParse(request.params.id)
    const config = id.success ? store.channel(id.data) : undefined
    if (!id.success || config === undefined) {
      throw new ApiError('not_found', `channel ${request.params.id.slice(0, 80)} was never used here`)
    }
    const lanes = store.lanes(id.data).map(({ lane, accepted, spent, claimed }) => ({
      ...{ lane, accepted: String(accepted), spent: String(spent), claimed: String(claimed) },
      pending: String(accepted - claimed),
    }))
    return { channelId: channelIdOf(ledger.chainId, ledger.channels, config), config, lanes }
  })

  app.get('/potluck/receipts', async (request) => {
    const { after } = parseBody(receiptsQuery, request.query)
    const found = store.receiptsAfter(after, MAX_RECEIPTS)
    return {
      receipts: found.map(({ seq, receipt }) => ({ seq, receipt: receiptWire(receipt) })),
      next: found.at(-1)?.seq ?? after,
    }
  })
}
