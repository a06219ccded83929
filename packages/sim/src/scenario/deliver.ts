import { holdersNeeded } from '@potluck/learning'
import type { Process } from './Process.ts'
import type { Receipt } from './Receipts.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { REFUSED } from './ShapedLinks.ts'
import type { Sealed } from './trainPiece.ts'

export type DeliverRequest = { readonly kind: 'deliver'; readonly bytes: Uint8Array }
export type DeliverAnswer = { readonly receipt: Receipt } | { readonly refused: string }

const TIMEOUT_MS = 6_000
const PAUSE_MS = 500

/**
 * Brings a delivery to all keepers until enough of them have it on disk, it can no longer count, or the run is over. Receipts are
 * checked: only what a keeper signed counts.
 */
export async function deliver(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  sealed: Sealed,
  times?: { readonly fetchMs: number; readonly trainMs: number },
): Promise<void> {
  const { chain, ledger, deliveries, links } = world
  const keepers = world.keepersOf(sealed.share)
  const opened = deliveries.open(sealed.bytes)
  if (!opened.ok) throw new Error(`own delivery cannot be read: ${opened.why}`)
  const { id } = opened.delivery
  const needed = holdersNeeded(keepers.length)
  const held = new Set<number>()
  const refused = new Set<number>()
  const changes = world.changes()
  const sinceMs = process.nowMs
  const most = world.scenario.buffered?.staleness ?? 1
  const isOver = (): boolean => chain.isDone || (chain.current?.number ?? 0) > sealed.round + most
  const isDecided = (): true | undefined =>
    held.size >= needed || refused.size > keepers.length - needed || isOver() || undefined

  const bringTo = async (keeper: SimMachine): Promise<void> => {
    while (!isDecided()) {
      const body: DeliverRequest = { kind: 'deliver', bytes: sealed.bytes }
      const what = `keeper ${keeper.node} to take a piece of round ${sealed.round}`
      const answer = await links.call(process, keeper.node, { body, sizeBytes: sealed.bytes.length }, what, TIMEOUT_MS)
      if (answer !== undefined && answer !== REFUSED) {
        const said = answer as DeliverAnswer
        if ('refused' in said) refused.add(keeper.node)
        else if (world.receipts.signerOf(said.receipt, id) === keeper.address) held.add(keeper.node)
        changes.notify()
        if ('refused' in said || held.has(keeper.node)) return
      }
      await process.sleep(PAUSE_MS, `another try at keeper ${keeper.node}`)
      if (isOver()) changes.notify()
    }
  }
  for (const keeper of keepers) process.spawn(() => bringTo(keeper))
  await changes.until(
    process,
    `${needed} of ${keepers.length} keepers to take a piece of round ${sealed.round}`,
    isDecided,
  )
  sealed.isSettled = true
  if (held.size < needed) return
  ledger.accepted.set(id, { worker: machine.node, round: sealed.round })
  chain.noteProgress()
  if (times) ledger.noteTimes(sealed.round, machine.node, { ...times, sendMs: Math.round(process.nowMs - sinceMs) })
}
