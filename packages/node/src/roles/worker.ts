import { fromHex, type Hex, merkleRootOfBytes, merkleRootOfNodes, sha256, toHex } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import { type JobView, Phase } from '../JobView.ts'
import { dueShare, type Sign } from '../round/dueShare.ts'
import { taskSeed } from '../round/taskSeed.ts'
import { loadDeliveries, saveDelivery, standByDeliveries } from './delivery.ts'

const BEAT_MS = 1_500

/** Trains the shares that fall to this node in exact jobs, its own first, then those whose workers fell silent. */
export function createWorker(): { tick(view: JobView): Promise<void> } {
  let running: { job: number; round: number; share: number; stop: AbortController } | undefined

  async function train(view: JobView, share: number, stop: AbortController): Promise<void> {
    const { job, round, ports, identity, program, document } = view
    const state = await view.baseState()
    const jobSeed = document.kind === 'language' ? document.seed : (`0x${'00'.repeat(32)}` as Hex)
    let beatMs = 0
    const beat = (step: number, lossMilli: number): void => {
      const now = ports.clock.nowMs()
      if (now - beatMs < BEAT_MS) return
      beatMs = now
      void view.outbox.say({ kind: 'beat', body: { job, round, share, step, steps: program.steps, lossMilli } })
    }
    beat(0, 0)
    const result = await program.work({
      state,
      seed: taskSeed(jobSeed, round, share, identity.node),
      signal: stop.signal,
      onStep: beat,
    })
    await ports.store.put(result.update, RAW)
    saveDelivery(view, {
      claim: {
        worker: identity.node,
        share,
        baseRoot: view.baseRoot,
        updateDigest: toHex(sha256(result.update)),
        updateRoot: toHex(merkleRootOfBytes(program.tensorOf(result.update))),
        statesRoot: toHex(merkleRootOfNodes(result.stateRoots.map(fromHex))),
        units: program.units,
      },
      states: result.stateRoots,
      baseDigest: view.baseDigest,
      lossMilli: result.lossMilli,
      finishedMs: view.nowMs,
      updateBytes: result.update.length,
    })
    const bytes = result.update.length
    ports.log('info', 'share done', { job, round, share, loss: result.lossMilli / 1000, bytes })
  }

  return {
    async tick(view) {
      const { job, round, status, identity } = view
      const isHere = running?.job === job && running.round === round
      if (running?.job === job && (!isHere || status.phase !== Phase.open)) running.stop.abort()
      if (status.phase !== Phase.open || !view.program.isExact) return
      if (!view.facts.workers.includes(identity.node) || view.facts.expelled.has(identity.node)) return
      await standByDeliveries(view)
      if (running) return

      const mine = new Set(loadDeliveries(view).map(({ claim }) => claim.share))
      const signs: Sign[] = [...view.inbox.of('beat', job, round), ...view.inbox.of('commit', job, round)].map(
        ({ kind, node, body, seenMs }) => ({ kind, worker: node, share: body.share, atMs: seenMs }),
      )
      const openedMs = Number(status.openedAt) * 1000
      const silenceMs = view.document.silenceSeconds * 1000
      const share = dueShare(identity.node, view.assignment, signs, openedMs, view.nowMs, silenceMs, mine)
      if (share === undefined) return
      if (view.assignment[share]?.[0] !== identity.node)
        view.ports.log('info', 'taking over a silent share', { job, round, share })
      const stop = new AbortController()
      running = { job, round, share, stop }
      void train(view, share, stop)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) view.ports.log('warn', 'work stopped', { job, round, share, why: String(error) })
        })
        .finally(() => {
          running = undefined
        })
    },
  }
}
