import { allocationHash, type Eip712Domain, type Hex, type Quote } from '@potluck/protocol'
import type { LaneRecord } from './laneMemory.ts'

export type QuoteOrder = {
  channelId: Hex
  lane: number
  domain: Eip712Domain
  /** Hash of what we asked, computed here. */
  requestHash: Hex
  /** Asset version of the model we asked for. */
  version: number
  record: LaneRecord
  /** The most this call may still cost. */
  mostLeft: bigint
}

export type QuoteVerdict = { ok: true; price: bigint } | { ok: false; code: string; message: string }

/**
 * Whether a quote may be signed: it asks for our request, our model, our channel, and for no more than we meant to pay.
 *
 * `price` is what the voucher adds to what was already promised. Never trusts a number of the gateway that the record can check.
 */
export function checkQuote(quote: Quote, order: QuoteOrder): QuoteVerdict {
  const { record, domain } = order
  const no = (code: string, message: string): QuoteVerdict => ({ ok: false, code, message })
  if (quote.requestHash !== order.requestHash) {
    return no('QUOTE_OTHER_REQUEST', `the quote is for request ${quote.requestHash}, ours is ${order.requestHash}`)
  }
  if (quote.channelId !== order.channelId || quote.lane !== order.lane) {
    const seen = `lane ${quote.lane} of ${quote.channelId}`
    return no('QUOTE_OTHER_CHANNEL', `the quote is for ${seen}, we pay from lane ${order.lane} of ${order.channelId}`)
  }
  const place = ({ name, version, chainId, verifyingContract }: Eip712Domain) =>
    `${name} ${version} on chain ${chainId} at ${verifyingContract.toLowerCase()}`
  if (place(quote.domain) !== place(domain)) {
    return no('QUOTE_OTHER_DOMAIN', `the quote is for ${place(quote.domain)}, our channel is in ${place(domain)}`)
  }
  if (quote.allocationHash !== allocationHash(quote.allocation)) {
    return no('QUOTE_BAD_ALLOCATION', `the quote's allocation does not hash to ${quote.allocationHash}`)
  }
  const { version, providerShare, gatewayShare } = quote.allocation
  if (version !== order.version) {
    return no('QUOTE_OTHER_MODEL', `the money would go to version ${version}; we asked for version ${order.version}`)
  }
  if (providerShare + gatewayShare > 1_000_000) {
    return no('QUOTE_BAD_ALLOCATION', `provider and gateway would take ${providerShare + gatewayShare} millionths`)
  }
  if (quote.due < record.accepted) {
    return no('QUOTE_SHRINKS', `${quote.due} is due where ${record.accepted} was already taken: the quote is old`)
  }
  const goesOn = record.run?.allocationHash === quote.allocationHash
  const froms = goesOn && record.run ? [record.run.from] : record.run ? [record.accepted] : []
  if (quote.from > record.accepted || (froms.length > 0 && !froms.includes(quote.from))) {
    const wanted = froms[0] ?? `at most ${record.accepted}`
    return no('QUOTE_FROM_JUMPS', `the quote starts from ${quote.from}; what was signed before makes it ${wanted}`)
  }
  const price = quote.due - record.accepted
  if (price > order.mostLeft) {
    return no(
      'QUOTE_TOO_HIGH',
      `${price} token units are asked, ${order.mostLeft} may be paid: raise maxPrice or ask for less`,
    )
  }
  return { ok: true, price }
}
