import { fromHex, type Hex, merkleRootOfBytes, merkleRootOfNodes, sha256, toHex } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import { type JobView, Phase } from '../JobView.ts'
import { dueShare, isOvertaken, type Patience } from '../round/dueShare.ts'
import { lateShares, shareDeadlineMs } from '../round/shareDeadline.ts'
import type { ShareTime } from '../round/shareTimes.ts'
import { taskSeed } from '../round/taskSeed.ts'
import { loadDeliveries, saveDelivery, standByDeliveries } from './delivery.ts'
import { ShareTimes } from './ShareTimes.ts'

const BEAT_MS = 1_500

type Work = { job: number; round: number; share: number; stop: AbortController; isLate?: boolean }

/** Workers that were late in a round, one line for each. */
export type LateShares = { round: number; why: readonly string[] }

/** Trains the shares that fall to this node in exact jobs, its own first, then those whose workers are silent or late. */
export function createWorker(): {
  tick(view: JobView): Promise<void>
  /** Of the last round in which this node found anybody late; undefined where there was none since it started. */
  lateIn(job: number): LateShares | undefined
} {
  let running: Work | undefined
  const times = new ShareTimes()
  const late = new Map<number, LateShares>()

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
      finishedMs: ports.clock.nowMs(),
      updateBytes: result.update.length,
    })
    const bytes = result.update.length
    ports.log('info', 'share done', { job, round, share, loss: result.lossMilli / 1000, bytes })
  }

  /** Ends work at a share that another's commit has settled; says once that the others no longer wait for this node. */
  function lookAfter(view: JobView, work: Work, present: readonly ShareTime[], patience: Patience): void {
    const { job, round, identity, ports } = view
    const { share } = work
    if (work.job !== job || work.round !== round || work.stop.signal.aborted) return
    if (isOvertaken(identity.node, view.assignment[share] ?? [], present, share)) {
      ports.log('info', 'share delivered by its worker meanwhile', { job, round, share })
      work.stop.abort()
      return
    }
    const own = present.filter((one) => one.share === share && one.worker === identity.node)
    const [why] = lateShares(own, patience)
    if (why === undefined || work.isLate) return
    work.isLate = true
    ports.log('warn', 'late with a share: another may take it over', {
      job,
      round,
      share,
      deadlineMs: patience.deadlineMs,
      why,
    })
  }

  return {
    lateIn: (job) => late.get(job),
    async tick(view) {
      const { job, round, status, identity, ports, program, document, nowMs } = view
      const isHere = running?.job === job && running.round === round
      if (running?.job === job && (!isHere || status.phase !== Phase.open)) running.stop.abort()
      if (status.phase !== Phase.open || !program.isExact) return
      if (!view.facts.workers.includes(identity.node) || view.facts.expelled.has(identity.node)) return
      await standByDeliveries(view)
      const { present, previous } = times.hear(view)
      const silenceMs = document.silenceSeconds * 1000
      const patience = {
        ...{ openedMs: Number(status.openedAt) * 1000, nowMs, silenceMs },
        deadlineMs: shareDeadlineMs(
          { shares: program.shares, present, previous },
          silenceMs,
          document.workSeconds * 1000,
        ),
      }
      const why = lateShares(present, patience)
      if (why.length > 0) late.set(job, { round, why })
      if (running) return lookAfter(view, running, present, patience)

      const mine = new Set(loadDeliveries(view).map(({ claim }) => claim.share))
      const due = dueShare(identity.node, view.assignment, present, patience, mine)
      if (due === undefined) return
      const { share, because } = due
      if (because !== 'own') {
        const ofShare = lateShares(
          present.filter((one) => one.share === share),
          patience,
        )
        const facts = because === 'late' ? { deadlineMs: patience.deadlineMs, why: ofShare.join('; ') } : {}
        ports.log('info', `taking over a ${because} share`, { job, round, share, ...facts })
      }
      const stop = new AbortController()
      running = { job, round, share, stop }
      void train(view, share, stop)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) ports.log('warn', 'work stopped', { job, round, share, why: String(error) })
        })
        .finally(() => {
          running = undefined
        })
    },
  }
}
