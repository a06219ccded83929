import type { World } from './World.ts'

/** Invariants that must hold after every block; what breaks one is noted in `world.escaped` with the time. */
export function watchChain(world: World): void {
  const seen = new Set<string>()
  const paid = new Map<string, bigint>()
  const once = new Set(['SetFixed', 'BeaconDrawn', 'RoundFinal', 'JobDone', 'Refunded', 'ModelPublished'])
  const note = (what: string): void => {
    world.escaped.push(`at ${world.scheduler.nowMs}: ${what}`)
  }
  world.onEvent(({ contract, name, args }) => {
    if (contract !== 'jobs') return
    const place = `${args.jobId}/${args.round ?? ''}`
    if (once.has(name)) {
      if (seen.has(`${name} ${place}`)) note(`${name} of ${place} happened twice`)
      seen.add(`${name} ${place}`)
    }
    if (name === 'RoundFinal' && !seen.has(`SetFixed ${place}`)) note(`round ${place} is final without a set`)
    if (name !== 'PayClaimed') return
    const who = `${args.jobId}/${args.account}`
    const total = (paid.get(who) ?? 0n) + BigInt(String(args.amount))
    if (total !== BigInt(String(args.cumulative)))
      note(`${who} was paid ${total} in all, the contract says ${args.cumulative}`)
    paid.set(who, total)
  })
}
