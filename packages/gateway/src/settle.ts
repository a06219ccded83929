import { fromHex, type Hex, toHex } from '@potluck/protocol'
import type { ChannelLedger, ClaimGroup, ClaimItem, Refusal } from './ChannelLedger.ts'
import type { PaymentStore } from './PaymentStore.ts'
import type { Run } from './paymentRecords.ts'

export type SettledItem = { channel: Hex; lane: number; from: bigint; cumulative: bigint }
export type Settlement = {
  transactions: Hex[]
  claimed: (SettledItem & { amount: bigint })[]
  /** Left out of this settlement, with the contract's reason; they are tried again by the next. */
  refused: (SettledItem & { why: Refusal })[]
}

type Open = { run: Run; token: Hex; item: ClaimItem; claimed: bigint; depth: number }

/**
 * Claims the best unclaimed voucher of every run of every lane, at most `batch` in one transaction (G-19).
 *
 * What is claimed is read from the chain first and nothing is assumed of earlier attempts: after a crash, or when a transaction's fate is not
 * known, it is simply called again. Runs of one lane build on each other, so they stand in groups in their order; an item that the contract
 * refuses is left out together with the later ones of its lane.
 */
export async function settle(deps: {
  ledger: ChannelLedger
  store: PaymentStore
  operator: Hex
  batch: number
}): Promise<Settlement> {
  const { ledger, store, operator, batch } = deps
  const result: Settlement = { transactions: [], claimed: [], refused: [] }
  let open = await openItems(ledger, store)
  open = await withoutRefused(ledger, operator, open, result)
  while (open.length > 0) {
    // Cut between lanes' depths, never so that a run is left before one that builds on it.
    const chosen = open.slice(0, batch)
    const groups = groupsOf(chosen)
    const id = store.startSettlement(
      JSON.stringify(chosen.map(({ run }) => [run.channel, run.lane, String(run.from), String(run.cumulative)])),
    )
    const claim = await ledger.claim(groups.map(({ group }) => group))
    if (!claim.ok) {
      const bad = groups[claim.group]?.members[claim.item]
      if (bad === undefined)
        throw new Error(`the contract refused item ${claim.item} of group ${claim.group}, which was not sent`)
      open = leaveOut(open, bad, claim.why, result)
      continue
    }
    store.endSettlement(id, claim.txHash)
    result.transactions.push(claim.txHash)
    for (const { run, claimed } of chosen) {
      store.markClaimed(run.channel, run.lane, run.from, run.cumulative)
      store.noteClaimed(run.channel, run.lane, run.cumulative)
      const paidBefore = claimed > run.from ? claimed : run.from
      result.claimed.push({ ...named(run), amount: run.cumulative - paidBefore })
    }
    open = open.slice(batch)
  }
  return result
}

const named = ({ channel, lane, from, cumulative }: Run): SettledItem => ({ channel, lane, from, cumulative })

/** Unclaimed runs with what the chain has claimed of their lane, shallow ones first. Closes those that are claimed. */
async function openItems(ledger: ChannelLedger, store: PaymentStore): Promise<Open[]> {
  const open: Open[] = []
  const lanes = new Map<string, { claimed: bigint; depth: number }>()
  for (const run of store.openRuns()) {
    const name = `${run.channel}:${run.lane}`
    const known = lanes.get(name) ?? { claimed: (await ledger.laneOf(run.channel, run.lane)).claimed, depth: 0 }
    lanes.set(name, known)
    store.noteClaimed(run.channel, run.lane, known.claimed)
    if (run.cumulative <= known.claimed) {
      store.markClaimed(run.channel, run.lane, run.from, run.cumulative)
      continue
    }
    const config = store.channel(run.channel)
    if (config === undefined) throw new Error(`a run of channel ${run.channel}, which is not in the store`)
    const { payer, signer, withdrawDelaySeconds, salt, token } = config
    const { lane, from, cumulative, requestHash } = run
    const item = {
      payer,
      signer,
      withdrawDelaySeconds,
      lane,
      from,
      cumulative,
      salt,
      requestHash,
      ...compact(run.signature),
    }
    open.push({ run, token, item, claimed: known.claimed, depth: known.depth++ })
  }
  return open.sort((a, b) => a.depth - b.depth)
}

/** ERC-2098: the recovery bit moves into the top bit of s, which low-s signatures leave free. */
function compact(signature: Hex): { r: Hex; vs: Hex } {
  const bytes = fromHex(signature)
  const vs = bytes.slice(32, 64)
  if (bytes[64] === 28) vs[0] = (vs[0] ?? 0) | 0x80
  return { r: toHex(bytes.slice(0, 32)), vs: toHex(vs) }
}

/** Groups in which one claim can run: first all first runs, then those that build on them, each by allocation. */
function groupsOf(chosen: readonly Open[]): { group: ClaimGroup; members: Open[] }[] {
  const groups = new Map<string, { group: ClaimGroup; members: Open[] }>()
  for (const open of chosen) {
    const { allocation } = open.run
    const name = `${open.depth}:${open.token}:${JSON.stringify(allocation)}`
    const found = groups.get(name) ?? { group: { token: open.token, allocation, items: [] }, members: [] }
    groups.set(name, found)
    found.group.items.push(open.item)
    found.members.push(open)
  }
  return [...groups.values()]
}

/** Asks the contract about the items that stand on the present state; the deeper ones it can only judge in the claim itself. */
async function withoutRefused(ledger: ChannelLedger, operator: Hex, open: Open[], result: Settlement): Promise<Open[]> {
  let left = open
  for (const { group, members } of groupsOf(open.filter(({ depth }) => depth === 0))) {
    const found = await ledger.check(operator, group)
    for (const [i, why] of found.entries()) {
      const member = members[i]
      if (member && why !== 'None') left = leaveOut(left, member, why, result)
    }
  }
  return left
}

function leaveOut(open: readonly Open[], bad: Open, why: Refusal, result: Settlement): Open[] {
  result.refused.push({ ...named(bad.run), why })
  const { channel, lane } = bad.run
  return open.filter((item) => item.run.channel !== channel || item.run.lane !== lane || item.depth < bad.depth)
}
