/**
 * A data owner's part in a private job: everything that leaves this process is a public key or a masked vector (design 4.5).
 *
 * Members walk the steps of `privateTraining` together. An attempt that stalls is given up for the next, with fresh keys and fresh
 * updates; a step is completed by one attempt only, which the keys of the following step name (P-46). Where the job says how few
 * members will do, the next attempt may be over fewer of them; who is left out stays out (P-63).
 */

import type { TableRow, TrainingPlan, TrainingState } from '@potluck/learning'
import { contribute, encodeLogisticModel, finishedModel, leastOf, planOver, wordsToBytes } from '@potluck/learning'
import { codeOf, fromHex, type Hex, merkleRootOfBytes, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import { type JobView, Phase } from '../JobView.ts'
import { membersAt, placesOf, planOf } from '../program/tabularProgram.ts'
import type { Role } from '../Role.ts'
import { isLeftOut, isSameGroup, type Standing } from '../round/sumGroup.ts'
import { loadDeliveries, saveDelivery, standByDeliveries } from './delivery.ts'
import { type HeardSums, hearSums } from './heardSums.ts'
import { nextSumAttempt } from './nextSumAttempt.ts'
import type { RowBudget } from './rowBudget.ts'
import { keepAnswer, saySums } from './saySums.ts'
import { loadProgress, type Progress, saveProgress, takeRecord, takeStep, transcriptOf } from './sumProgress.ts'

/** A sum that we missed is asked for first when gossip has had its time, then every so often. */
const ASK_MS = 4_000

/** What is known of a job since this process began, by nobody needed after it. */
type Watch = {
  /** When we began to listen: nobody counts as silent for longer. */
  listenMs: number
  /** Members seen past a step of ours: which, when first, and when we last asked for its sum. */
  ahead: Map<Hex, { step: number; firstMs: number; askedMs: number }>
  /** The step and group that we are at, and since when. */
  trying?: { what: string; sinceMs: number }
  /** Why we take no part any more. */
  away?: string
}

/**
 * @param rows the training rows; they are read here and used nowhere else
 * @param budget what may be learnt about them; no sum is answered that would exceed it
 */
export function createOwner(rows: readonly TableRow[], budget?: RowBudget): Role {
  let refusedAt: Hex | undefined
  const watches = new Map<string, Watch>()

  function watchOf({ job, round, nowMs }: JobView): Watch {
    const key = `${job}/${round}`
    const watch = watches.get(key) ?? { listenMs: nowMs, ahead: new Map() }
    watches.set(key, watch)
    return watch
  }

  /** Secret of this job's masks and row draws; made once and never shown. */
  function secretOf(view: JobView): Uint8Array {
    const key = `private-secret/${view.job}`
    const saved = view.ports.disk.get(key)
    if (saved) return fromHex(saved)
    const secret = view.ports.random(32)
    view.ports.disk.set(key, toHex(secret))
    return secret
  }

  /** Charges the release to the budget; false, said once, when the budget does not allow it. */
  function isAllowed(
    view: JobView,
    plan: TrainingPlan,
    state: TrainingState,
    publicKeys: ReadonlyMap<string, Uint8Array>,
  ): boolean {
    if (!budget) return true
    const { round, attempt, scaling, newton } = state
    const keys = plan.members.map((member) => toHex(publicKeys.get(member) ?? new Uint8Array()))
    const release = toHex(sha256(utf8(JSON.stringify({ ...plan, round, attempt, scaling, newton, keys }))))
    // Asked anew in every tick: the answer costs seconds of accounting and stays the same.
    if (refusedAt === release) return false
    try {
      if (!plan.noise) throw new PotluckError('BUDGET_SPENT', 'the job adds no noise, which no budget allows')
      const step = { noise: plan.noise.multiplier, rate: 1, steps: 1 }
      budget.charge({ job: plan.job, round, attempt, release, step })
      return true
    } catch (error) {
      if (codeOf(error) !== 'BUDGET_SPENT') throw error
      view.ports.log('warn', 'sum not answered', {
        job: view.job,
        step: round,
        attempt,
        why: (error as Error).message,
      })
      refusedAt = release
      return false
    }
  }

  /** Falls silent in a job that may go on without us: the others leave out whom they do not hear. */
  function stopTakingPart(view: JobView, why: string): void {
    const { job, round, outbox, ports } = view
    watchOf(view).away = why
    for (const kind of ['maskKey', 'masked']) outbox.drop(`${job}/${round}/${kind}/`)
    ports.log('warn', 'no longer part of a private job', { job, why })
  }

  /** Somebody is past this step: finishes it by the attempt they name, with what was heard or what they hold. */
  async function catchUp(view: JobView, plan: TrainingPlan, progress: Progress, heard: HeardSums): Promise<Progress> {
    const step = progress.state.round
    const ahead = heard.keys.filter(({ node, body }) => progress.bound.includes(node) && body.step === step + 1)
    for (const key of ahead) {
      const taken = await takeStep(view, plan, progress, heard, key.body.sumAttempt)
      if (taken.state.round > step) return taken
      const seen = watchOf(view).ahead
      const known = seen.get(key.node)
      const at = known?.step === step ? known : { step, firstMs: view.nowMs, askedMs: view.nowMs }
      const isDue = view.nowMs - at.askedMs >= ASK_MS
      seen.set(key.node, { ...at, askedMs: isDue ? view.nowMs : at.askedMs })
      if (!isDue) continue
      const fetched = await takeRecord(view, plan, progress, heard, key)
      if (fetched.state.round > step) return fetched
    }
    return progress
  }

  async function advance(view: JobView, plan: TrainingPlan, before: Progress, heard: HeardSums): Promise<Progress> {
    const { job, round, outbox, ports, identity } = view
    const step = before.state.round
    let progress = await catchUp(view, plan, before, heard)
    if (progress.state.round > step) return progress

    const watch = watchOf(view)
    const { listenMs, ahead } = watch
    const what = `${step}/${progress.group.join()}`
    if (watch.trying?.what !== what) watch.trying = { what, sinceMs: view.nowMs }
    const aheadMs = new Map([...ahead].flatMap(([member, at]) => (at.step === step ? [[member, at.firstMs]] : [])))
    const next = nextSumAttempt(view, plan, progress, heard, standingOf(view, plan, progress, heard), {
      listenMs,
      groupMs: watch.trying.sinceMs,
      aheadMs,
    })
    if (next) {
      ports.log('warn', 'starting a new attempt at a masked sum', {
        job,
        step,
        attempt: next.state.attempt,
        members: next.group.length,
        without: plan.members.filter((member) => !next.group.includes(member as Hex)),
      })
      progress = next
      // Before its key is said: one attempt has one group.
      saveProgress(view, progress)
    }

    await saySums(view, plan, progress, secretOf(view))
    const { state, group, sumAttempt } = progress
    const { attempt } = state
    const publicKeys = new Map<string, Uint8Array>()
    for (const { node, body, group: named } of heard.keys) {
      const isOfAttempt = body.step === step && body.attempt === attempt && body.sumAttempt === sumAttempt
      if (isOfAttempt && isSameGroup(named, group)) publicKeys.set(node, fromHex(body.publicKey))
    }
    if (publicKeys.size < group.length) return progress
    const over = planOver(plan, group)
    const maskedName = `${job}/${round}/masked/${step}/${attempt}`
    if (!outbox.has(maskedName)) {
      if (!isAllowed(view, over, state, publicKeys)) {
        if (leastOf(plan) < plan.members.length) stopTakingPart(view, 'the budget of the rows is spent')
        return progress
      }
      const answer = contribute(over, state, { self: identity.node, secret: secretOf(view), rows }, publicKeys)
      progress = { ...progress, state: answer.state, bound: group }
      // In this order: what stands under `said/` is repeated, so it must be known first under which keys it was masked.
      saveProgress(view, progress)
      keepAnswer(view, maskedName, toHex(wordsToBytes(answer.masked)), placesOf(plan, group))
      await saySums(view, plan, progress, secretOf(view))
    }
    return takeStep(view, plan, progress, hearSums(view, plan), attempt)
  }

  const standingOf = (view: JobView, plan: TrainingPlan, { bound }: Progress, { boundOf }: HeardSums): Standing => ({
    self: view.identity.node,
    bound,
    least: leastOf(plan),
    boundOf,
  })

  /**
   * Whether no other result can come about: so many members finished by the same attempt as we did. Where the last group could not have
   * been smaller, all of it answered only there.
   */
  function isSettled(plan: TrainingPlan, { state, sumAttempt, steps }: Progress, heard: HeardSums): boolean {
    const group = steps.at(-1)?.group ?? membersAt(plan, undefined)
    const alike = heard.keys
      .filter(({ node, body }) => group.includes(node) && body.step === state.round && body.sumAttempt === sumAttempt)
      .map(({ node }) => node)
    return group.length === leastOf(plan) || new Set(alike).size >= leastOf(plan)
  }

  async function deliver(view: JobView, plan: TrainingPlan, progress: Progress): Promise<void> {
    const { identity, ports } = view
    const update = transcriptOf(view, plan, progress)
    await ports.store.put(update, RAW)
    const model = encodeLogisticModel(finishedModel(plan, progress.state))
    saveDelivery(view, {
      claim: {
        worker: identity.node,
        share: plan.members.indexOf(identity.node),
        baseRoot: view.baseRoot,
        updateDigest: toHex(sha256(update)),
        updateRoot: toHex(merkleRootOfBytes(update)),
        statesRoot: toHex(merkleRootOfBytes(model)),
        units: 1,
      },
      states: [],
      baseDigest: view.baseDigest,
      lossMilli: 0,
      finishedMs: view.nowMs,
      updateBytes: update.length,
    })
    ports.log('info', 'private training done', {
      job: view.job,
      steps: progress.steps.length,
      members: (progress.steps.at(-1)?.group ?? plan.members).length,
    })
  }

  return {
    refuses: (document) => (document.kind === 'tabular' ? budget?.refuses(document) : undefined),

    async tick(view) {
      const { document, status, identity, facts } = view
      if (document.kind !== 'tabular' || status.phase !== Phase.open || !facts.workers.includes(identity.node)) return
      await standByDeliveries(view)
      const plan = planOf(view.job, document, facts.workers)
      let progress = loadProgress(view, plan)
      if (loadDeliveries(view).length > 0) return saySums(view, plan, progress, secretOf(view))
      if (watchOf(view).away) return
      if (isLeftOut(standingOf(view, plan, progress, hearSums(view, plan)))) {
        return stopTakingPart(view, 'the others go on without this node, which they did not hear for too long')
      }
      // Take every step that can be taken now: waiting for the next tick would only cost time.
      for (let before = -1; before !== progress.state.round && !progress.state.isDone && !watchOf(view).away; ) {
        before = progress.state.round
        progress = await advance(view, plan, progress, hearSums(view, plan))
        saveProgress(view, progress)
      }
      if (!progress.state.isDone) return
      await saySums(view, plan, progress, secretOf(view))
      if (isSettled(plan, progress, hearSums(view, plan))) await deliver(view, plan, progress)
    },
  }
}
