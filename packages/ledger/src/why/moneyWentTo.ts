/**
 * Forwards along the money: from a call to those who took it out.
 *
 * A forward amount is read off the backward split of whatever took the money next, so both directions name the same units.
 */
import { percent } from '../money/Money.ts'
import { splitExactly } from '../money/splitExactly.ts'
import { coverage } from './coverage.ts'
import { place } from './moneyCameFrom.ts'
import type { Movement, Receipt, Settlement, Voucher } from './Records.ts'
import { type Step, short, step } from './Step.ts'
import type { Teller } from './Teller.ts'
import { ownerShareOf, parentShareOf } from './versionFacts.ts'

/** Of an amount that is explained by an inflow, the part that belongs to what we follow. */
type Ours = (amount: bigint) => Promise<bigint>

/** What became of the money of a call. */
export async function receiptLeadsTo(teller: Teller, receipt: Receipt): Promise<Step[]> {
  const vouchers = await teller.records.vouchersOver(receipt)
  const steps: Step[] = []
  for (const voucher of vouchers) steps.push(...(await voucherLeadsTo(teller, receipt, voucher)))
  const claimed = steps.reduce((sum, one) => sum + BigInt(one.amount ?? 0), 0n)
  const open = receipt.to - receipt.from - claimed
  if (open > 0n) {
    const text = `${open === receipt.to - receipt.from ? 'It' : 'The rest'} waits in the channel until the gateway claims the voucher.`
    steps.push(step({ id: `receipt/${receipt.id}/unclaimed`, kind: 'waiting', amount: open, text }))
  }
  return steps
}

async function voucherLeadsTo(teller: Teller, receipt: Receipt, voucher: Voucher): Promise<Step[]> {
  const receipts = await teller.records.receiptsUnder(voucher)
  const covered = coverage(voucher, receipts)
  const mine = receipts.findIndex((one) => one.id === receipt.id)
  const claimed = covered.parts[mine] ?? 0n
  if (claimed === 0n || voucher.settlement === null) return []
  const settlement = await teller.records.settlementAt(voucher.settlement)
  if (settlement === undefined) return []
  const vouchers = await teller.records.vouchersOf(settlement.seq)
  const ours: Ours = async (amount) => {
    const byVoucher = splitExactly(
      amount,
      vouchers.map((one) => one.amount),
    )
    const own = byVoucher[vouchers.findIndex((one) => one.seq === voucher.seq)] ?? 0n
    return splitExactly(own, [...covered.parts, covered.uncovered])[mine] ?? 0n
  }
  const { token } = settlement
  const leadsTo = await armSteps(teller, settlement, ours)
  const text = `${teller.money.text(claimed, token)} was claimed with the voucher of channel ${short(voucher.channel)} and paid along its allocation.`
  const refs = { ...place(voucher), channel: voucher.channel, lane: voucher.lane, requestHash: voucher.requestHash }
  return [step({ id: `voucher/${voucher.seq}`, kind: 'voucher', amount: claimed, token, text, refs, leadsTo })]
}

async function armSteps(teller: Teller, settlement: Settlement, ours: Ours): Promise<Step[]> {
  const { token, seq } = settlement
  const steps: Step[] = []
  const arms = [
    { arm: 'provider', account: settlement.provider, total: settlement.toProvider, ppm: settlement.providerShare },
    { arm: 'gateway', account: settlement.gateway, total: settlement.toGateway, ppm: settlement.gatewayShare },
  ] as const
  for (const { arm, account, total, ppm } of arms) {
    if (total === 0n) continue
    const part = await ours(total)
    const text = `${teller.money.text(part, token)} is for the ${arm}, ${short(account)}: ${percent(ppm)}.`
    const leadsTo = await takenOut(teller, account, token, 'credit-withdrawn', seq, part)
    const refs = { ...place(settlement), account }
    steps.push(step({ id: `settlement/${seq}/${arm}`, kind: `${arm}-part`, amount: part, token, text, refs, leadsTo }))
  }
  if (settlement.toVersion === 0n || settlement.paidSeq === null) return steps
  const paid = await teller.records.paid(settlement.paidSeq)
  if (paid === undefined) return steps
  const part = await ours(settlement.toVersion)
  const text = `${teller.money.text(part, token)} was paid to version ${settlement.version}.`
  const leadsTo = await inflowLeadsTo(teller, paid, settlement.version, ours, 0)
  const refs = { ...place(settlement), version: settlement.version }
  steps.push(step({ id: `paid/${paid.seq}`, kind: 'paid', amount: part, token, text, refs, leadsTo }))
  return steps
}

/** What the owner, the parents and the contributors of `version` took of an inflow, as far as they have. */
export async function inflowLeadsTo(
  teller: Teller,
  inflow: Movement,
  version: number,
  ours: Ours,
  depth: number,
): Promise<Step[]> {
  const takings = await teller.records.takings(version, inflow.token, inflow.seq)
  const steps: Step[] = []
  for (const taking of takings) {
    const oursOfTaking: Ours = async (amount) => {
      const inflows = await teller.records.inflows(taking)
      const parts = splitExactly(
        amount,
        inflows.map((one) => one.amount),
      )
      const part = parts[inflows.findIndex((one) => one.seq === inflow.seq)] ?? 0n
      return part === 0n ? 0n : ours(part)
    }
    const part = await oursOfTaking(taking.amount)
    if (part > 0n) steps.push(await takingStep(teller, taking, part, oursOfTaking, depth))
  }
  if (!takings.some((one) => one.kind === 'settled')) {
    const text = `The owner's part waits in version ${version} until somebody calls settle.`
    steps.push(step({ id: `${inflow.kind}/${inflow.seq}/unsettled`, kind: 'waiting', text, refs: { version } }))
  }
  return steps
}

async function takingStep(teller: Teller, taking: Movement, part: bigint, ours: Ours, depth: number): Promise<Step> {
  const { token, kind, version, parent, seq } = taking
  const told = teller.money.text(part, token)
  const common = { id: `${kind}/${seq}`, amount: part, token }
  if (kind === 'pulled') {
    const share = percent(await parentShareOf(teller, version ?? 0, parent ?? 0))
    const leadsTo = depth < teller.deepest ? await inflowLeadsTo(teller, taking, parent ?? 0, ours, depth + 1) : []
    const text = `${told} went up to version ${parent}, which gets ${share} of what version ${version} earns.`
    return step({ ...common, kind: 'pulled', text, refs: { ...place(taking), version: parent ?? 0 }, leadsTo })
  }
  const account = taking.account ?? '0x'
  const refs = { ...place(taking), account, version: version ?? 0 }
  const leadsTo = await takenOut(teller, account, token, 'withdrawn', seq, part)
  if (kind === 'contributed') {
    const text = `${told} is for contributor ${short(account)} of version ${version}.`
    return step({ ...common, kind: 'contributor-part', text, refs, leadsTo })
  }
  const share = percent(await ownerShareOf(teller, version ?? 0))
  const text = `${told} is for the owner of version ${version}, ${short(account)}: ${share} of what it earns.`
  return step({ ...common, kind: 'owner-part', text, refs, leadsTo })
}

async function takenOut(
  teller: Teller,
  account: `0x${string}`,
  token: string,
  kind: 'withdrawn' | 'credit-withdrawn',
  after: number,
  part: bigint,
): Promise<Step[]> {
  const taken = await teller.records.next(account, token, kind, after)
  if (taken === undefined) {
    const text = `${short(account)} has not withdrawn it yet.`
    return [step({ id: `waiting/${account}/${after}`, kind: 'waiting', amount: part, token, text, refs: { account } })]
  }
  const text = `${short(account)} withdrew it, with all else it had: ${teller.money.text(taken.amount, token)}.`
  return [
    step({
      id: `withdrawal/${taken.seq}`,
      kind: 'withdrawal',
      amount: part,
      token,
      text,
      refs: { ...place(taken), account },
    }),
  ]
}
