import { commitOf, type JobView, Phase, type Role } from '@potluck/node'
import { type Hex, NO_DIRECT_CLAIMS, sealMessage, sha256, utf8 } from '@potluck/protocol'
import type { Faults, Garbage } from './Faults.ts'
import { FIRST_KEEPER } from './nodePlans.ts'
import type { Vice } from './SimNode.ts'
import type { World } from './World.ts'

const ALWAYS = { isAlive: true }

/** The first update anybody shows, handed in as one's own: commit and claim in one breath. */
function copycat(): Role {
  return {
    async tick(view: JobView) {
      const { job, round, identity, outbox, inbox, status } = view
      if (status.phase !== Phase.open || !view.program.isExact || !view.facts.workers.includes(identity.node)) return
      const shown = inbox.of('claim', job, round).find(({ node }) => node !== identity.node)
      const key = `${job}/${round}/copy`
      if (!shown || outbox.has(key)) return
      const { states } = shown.body
      const claim = { ...shown.body.claim, worker: identity.node }
      await outbox.stand(key, {
        kind: 'commit',
        body: { job, round, share: claim.share, commit: commitOf(view, claim) },
      })
      await outbox.stand(`${key}/claim`, {
        kind: 'claim',
        body: { job, round, claim, states, url: identity.url, lossMilli: 0 },
      })
    },
  }
}

/** A validator that does everything but reveal. */
const silence = (roles: Role[]): Role[] =>
  roles.map((role) => ({
    tick: (view) => (view.status.phase === Phase.beacon ? Promise.resolve() : role.tick(view)),
  }))

export function vicesOf(faults: Faults): Map<number, Vice> {
  const vices = new Map<number, Vice>()
  const add = (node: number | undefined, vice: Vice): void => {
    if (node !== undefined) vices.set(node, { ...vices.get(node), ...vice })
  }
  add(faults.liar, { fault: 'lazy' })
  add(faults.twister, { fault: 'twisting' })
  add(faults.copycat, { bend: ([, ...others]) => [copycat(), ...others] })
  add(faults.silent, { bend: silence })
  add(faults.spoiler, { spoilsBlocks: true })
  if (faults.slow) add(faults.slow.node, { stepMs: faults.slow.stepMs })
  return vices
}

/** Puts every fault on the calendar. */
export function applyFaults(world: World, faults: Faults): void {
  const { scheduler, links, chain, nodes } = world

  function crash(index: number, downMs: number): void {
    const node = nodes[index]
    if (!node?.isUp) return
    node.crash()
    world.logs.push({ atMs: scheduler.nowMs, node: index, level: 'info', event: 'CRASH', facts: { downMs } })
    scheduler.after(downMs, ALWAYS, () => node.start())
  }

  for (const { node, afterMs, downMs } of faults.crashes) scheduler.after(afterMs, ALWAYS, () => crash(node, downMs))
  for (const { kind, nth, afterMs, downMs } of faults.crashAfterSaying) {
    let said = 0
    world.onPublish((node, heard) => {
      if (heard === kind && ++said === nth) scheduler.after(afterMs, ALWAYS, () => crash(node, downMs))
    })
  }
  if (faults.proposerCrashMs !== undefined) {
    const downMs = faults.proposerCrashMs
    world.onEvent(({ name, args }) => {
      if (name !== 'BeaconDrawn' || Number(args.round) !== 0) return
      const { jobs } = chain.observer.read
      void scheduler
        .real(ALWAYS, () => jobs.proposerNow([BigInt(String(args.jobId))]))
        .then((proposer) => {
          const index = nodes.findIndex(({ plan }) => plan.identity.node === proposer)
          crash(index, downMs)
        })
    })
  }
  for (const { afterMs, forMs, side } of faults.splits) {
    scheduler.after(afterMs, ALWAYS, () => links.split((node) => side[node] ?? 0))
    scheduler.after(afterMs + forMs, ALWAYS, () => links.split(undefined))
  }
  for (const { node, afterMs, forMs } of faults.gaps) {
    scheduler.after(afterMs, ALWAYS, () => chain.cutOff(node, forMs))
  }
  for (const { node, afterMs, kind } of faults.garbage) {
    scheduler.after(afterMs, ALWAYS, () => {
      const bytes = garbageOf(world, kind)
      const targets = kind === 'forged' ? nodes.keys() : [node]
      for (const target of targets) links.deliver(target, bytes, 0)
    })
  }
}

function garbageOf(world: World, kind: Garbage): Uint8Array {
  const { scheduler, links, nodes } = world
  const draws = world.draws(`garbage ${scheduler.nowMs}`)
  const hello = { kind: 'hello', body: { url: 'http://stranger.sim', roles: 127, peer: '', serves: null } } as const
  const stranger = sha256(utf8(`stranger ${scheduler.nowMs}`))
  const network = nodes[0]?.network ?? ''
  if (kind === 'oversized') return new Uint8Array(70_000)
  if (kind === 'foreign') return sealMessage('1:0xother', hello, scheduler.nowMs, stranger)
  if (kind === 'stranger') return sealMessage(network, hello, scheduler.nowMs, stranger)
  if (kind === 'old')
    return sealMessage(network, hello, scheduler.nowMs - 3_600_000, nodes[0]?.plan.identity.secret ?? stranger)
  if (kind === 'forged') {
    const member = nodes[FIRST_KEEPER]?.plan.identity.secret ?? stranger
    const hash: Hex = `0x${'11'.repeat(32)}`
    const signature: Hex = `0x${'ff'.repeat(65)}`
    const body = {
      job: 1,
      round: draws.between(0, 1),
      setRoot: hash,
      count: 5,
      directHash: NO_DIRECT_CLAIMS,
      signature,
    }
    return sealMessage(network, { kind: 'attest', body }, scheduler.nowMs, member)
  }
  const captured = links.published.length > 0 ? draws.pick(links.published).bytes : undefined
  if (kind === 'noise' || !captured) return draws.bytes(draws.between(0, 300))
  const place = draws.between(0, captured.length - 1)
  return captured.map((byte, i) => (i === place ? byte ^ (1 << draws.between(0, 7)) : byte))
}
