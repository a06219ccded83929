/**
 * Backwards along the money: from what somebody took out to the calls and payments it was earned with.
 *
 * Every amount is split over what it came from in whole units, so at each level the parts add up to what is explained.
 */
import { percent } from '../money/Money.ts'
import { splitExactly } from '../money/splitExactly.ts'
import { coverage } from './coverage.ts'
import type { Movement, Receipt, Settlement, Voucher } from './Records.ts'
import { moment, type Step, short, step } from './Step.ts'
import { type Teller, tellAll } from './Teller.ts'
import { contributorStory, ownerShareOf, parentShareOf } from './versionFacts.ts'

/** A withdrawal from Assets: it takes all that was credited since the last one. */
export async function withdrawalStep(teller: Teller, taken: Movement): Promise<Step> {
  const { account, token, seq } = taken
  const credits = await teller.records.since(account ?? '', token, ['settled', 'contributed'], 'withdrawn', seq)
  const because: Step[] = []
  for (const credit of credits) because.push(await creditStep(teller, credit, credit.amount))
  return step({
    id: `withdrawal/${seq}`,
    kind: 'withdrawal',
    amount: taken.amount,
    token,
    text: `${short(account ?? '')} withdrew ${teller.money.text(taken.amount, token)} of what its parts in assets had earned.`,
    refs: { ...place(taken), ...(account ? { account } : {}) },
    because,
  })
}

/** A withdrawal from Channels by a provider or gateway. */
export async function creditWithdrawalStep(teller: Teller, taken: Movement): Promise<Step> {
  const { account, token, seq, amount } = taken
  const because: Step[] = []
  for (const one of await teller.records.settlementsCrediting(account ?? '', token, seq)) {
    const roles = [
      { role: 'provider', part: one.provider === account ? one.toProvider : 0n, ppm: one.providerShare },
      { role: 'gateway', part: one.gateway === account ? one.toGateway : 0n, ppm: one.gatewayShare },
    ]
    for (const { role, part, ppm } of roles) {
      if (part > 0n) because.push(await settlementStep(teller, one, part, `as ${role} (${percent(ppm)} of it)`, role))
    }
  }
  return step({
    id: `withdrawal/${seq}`,
    kind: 'withdrawal',
    amount,
    token,
    text: `${short(account ?? '')} withdrew ${teller.money.text(amount, token)} that serving calls had earned it.`,
    refs: { ...place(taken), ...(account ? { account } : {}) },
    because,
  })
}

/** `part` of an owner's or a contributor's credit, or of a pull. */
export async function creditStep(teller: Teller, taken: Movement, part: bigint, depth = 0): Promise<Step> {
  const { version, token, kind, parent } = taken
  const because = await inflowSteps(teller, taken, part, depth)
  const told = teller.money.text(part, token)
  const common = { id: `${kind}/${taken.seq}`, amount: part, token, refs: { ...place(taken), version: version ?? 0 } }
  if (kind === 'pulled') {
    const share = percent(await parentShareOf(teller, version ?? 0, parent ?? 0))
    const text = `${told} came up from version ${version}, which owes version ${parent} ${share} of all it earns.`
    return step({ ...common, kind: 'pulled', text, because })
  }
  const account = taken.account ?? '0x'
  const refs = { ...common.refs, account }
  if (kind === 'settled') {
    const share = percent(await ownerShareOf(teller, version ?? 0))
    const text = `${told} is the part of the owner, ${short(account)}, in version ${version}: ${share} of what it earned.`
    return step({ ...common, kind: 'owner-part', refs, text, because })
  }
  const text = `${told} is the part of contributor ${short(account)} in version ${version}.`
  const story = await contributorStory(teller, version ?? 0, account, taken.position ?? 0n)
  return step({ ...common, kind: 'contributor-part', refs, text, because: [...because, ...story] })
}

async function inflowSteps(teller: Teller, taken: Movement, part: bigint, depth: number): Promise<Step[]> {
  const id = `${taken.kind}/${taken.seq}`
  if (depth >= teller.deepest) {
    const text = `The line of descent goes on: ask why version/${taken.version}.`
    return [step({ id: `${id}/deeper`, kind: 'more', amount: part, token: taken.token, text })]
  }
  const inflows = await teller.records.inflows(taken)
  const parts = splitExactly(
    part,
    inflows.map((one) => one.amount),
  )
  const things = inflows.map((thing, i) => ({ thing, amount: parts[i] ?? 0n }))
  return tellAll(teller, { id, token: taken.token, name: 'payments' }, things, (inflow, amount) =>
    inflow.kind === 'pulled' ? creditStep(teller, inflow, amount, depth + 1) : paidStep(teller, inflow, amount),
  )
}

/** `part` of a payment for a version. */
export async function paidStep(teller: Teller, paid: Movement, part: bigint): Promise<Step> {
  const settlement =
    paid.account === teller.contracts.channels ? await teller.records.settlementPaying(paid.seq) : undefined
  if (settlement) return settlementStep(teller, settlement, part, `to version ${paid.version}`, 'version')
  const whole = part === paid.amount ? '' : ` (of ${teller.money.text(paid.amount, paid.token)})`
  const told = `${teller.money.text(part, paid.token)}${whole}`
  const byJob = paid.account === teller.contracts.jobs
  return step({
    id: `paid/${paid.seq}`,
    kind: byJob ? 'training-price' : 'payment',
    amount: part,
    token: paid.token,
    text: byJob
      ? `${told} is the price a training job paid for the use of version ${paid.version}.`
      : `${told} was paid for version ${paid.version} by ${short(paid.account ?? '')}.`,
    refs: { ...place(paid), version: paid.version ?? 0, ...(paid.account && !byJob ? { account: paid.account } : {}) },
  })
}

/** `part` of what one group of vouchers settled; `what` says along which arm of the allocation it went. */
export async function settlementStep(
  teller: Teller,
  settlement: Settlement,
  part: bigint,
  what: string,
  arm: string,
): Promise<Step> {
  const vouchers = await teller.records.vouchersOf(settlement.seq)
  const parts = splitExactly(
    part,
    vouchers.map((one) => one.amount),
  )
  const id = `settlement/${settlement.seq}/${arm}`
  const things = vouchers.map((thing, i) => ({ thing, amount: parts[i] ?? 0n }))
  const because = await tellAll(teller, { id, token: settlement.token, name: 'vouchers' }, things, (voucher, amount) =>
    voucherStep(teller, voucher, settlement.token, amount),
  )
  const total = settlement.toVersion + settlement.toProvider + settlement.toGateway
  const { money } = teller
  return step({
    id,
    kind: 'settlement',
    amount: part,
    token: settlement.token,
    text: `${money.text(part, settlement.token)} went ${what} when ${vouchers.length} voucher${vouchers.length === 1 ? '' : 's'} over ${money.text(total, settlement.token)} ${vouchers.length === 1 ? 'was' : 'were'} settled by ${short(settlement.operator)}.`,
    refs: { ...place(settlement), ...(settlement.version ? { version: settlement.version } : {}) },
    because,
  })
}

async function voucherStep(teller: Teller, voucher: Voucher, token: string, part: bigint): Promise<Step> {
  const receipts = await teller.records.receiptsUnder(voucher)
  const { parts, uncovered } = coverage(voucher, receipts)
  const shares = splitExactly(part, [...parts, uncovered])
  const id = `voucher/${voucher.seq}`
  const things = receipts.map((thing, i) => ({ thing, amount: shares[i] ?? 0n }))
  const because = await tellAll(teller, { id, token, name: 'receipts' }, things, async (receipt, amount) =>
    receiptStep(teller, receipt, token, amount),
  )
  const missing = shares[receipts.length] ?? 0n
  if (missing > 0n) {
    const text = `No receipt has come in yet for ${teller.money.text(missing, token)} of it.`
    because.push(step({ id: `${id}/uncovered`, kind: 'no-receipt', amount: missing, token, text }))
  }
  const from = voucher.cumulative - voucher.amount
  return step({
    id,
    kind: 'voucher',
    amount: part,
    token,
    text: `${teller.money.text(part, token)} of it was signed for in channel ${short(voucher.channel)}, lane ${voucher.lane}, whose total grew from ${teller.money.text(from, token)} to ${teller.money.text(voucher.cumulative, token)}.`,
    refs: { ...place(voucher), channel: voucher.channel, lane: voucher.lane, requestHash: voucher.requestHash },
    because,
  })
}

/** A call, and `part` of what was paid for it. */
export function receiptStep(teller: Teller, receipt: Receipt, token: string, part: bigint): Step {
  const { promptTokens, completionTokens } = receipt
  const price = teller.money.text(receipt.to - receipt.from, token)
  return step({
    id: `receipt/${receipt.id}`,
    kind: 'receipt',
    amount: part,
    token,
    text: `${teller.money.text(part, token)} comes from a call of version ${receipt.version} at ${moment(receipt.atMs)}: ${promptTokens} tokens in, ${completionTokens} out, price ${price}.`,
    refs: {
      requestHash: receipt.requestHash,
      document: receipt.id,
      version: receipt.version,
      channel: receipt.channel,
      lane: receipt.lane,
    },
  })
}

export const place = ({ tx, block }: { tx: `0x${string}`; block: number }) => ({ tx, block })
