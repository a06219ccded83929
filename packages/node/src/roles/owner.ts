/**
 * A data owner's part in a private job: everything that leaves this process is a public key or a masked vector (design 4.5).
 *
 * Members walk the steps of `privateTraining` together. An attempt that stalls is given up for the next, with fresh keys and fresh
 * updates; a step is completed by one attempt only, which the keys of the following step name (P-46).
 */
import { encode } from '@ipld/dag-cbor'
import {
  completeRound,
  contribute,
  encodeLogisticModel,
  finishedModel,
  retryRound,
  roundKeys,
  startTraining,
  type TableRow,
  type TrainingPlan,
  type TrainingState,
  vectorLength,
  wordsFromBytes,
  wordsToBytes,
} from '@potluck/learning'
import { codeOf, fromHex, type Hex, merkleRootOfBytes, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import type { Known } from '../Inbox.ts'
import { type JobView, Phase } from '../JobView.ts'
import { planOf } from '../program/tabularProgram.ts'
import type { Role } from '../Role.ts'
import { loadDeliveries, saveDelivery, standByDeliveries } from './delivery.ts'
import type { RowBudget } from './rowBudget.ts'

type Progress = {
  state: TrainingState
  /** Attempt that completed the step before; 0 at the first. */
  sumAttempt: number
  /** Masked vectors of completed steps, in member order, as hex. */
  steps: { attempt: number; vectors: Hex[] }[]
  sinceMs: number
}

/** Longer with every attempt: on a slow day members must not keep starting over before anyone can finish. */
const patienceMs = (view: JobView, attempt: number): number =>
  1000 * view.document.silenceSeconds * Math.min(8, 1.5 ** (attempt - 1))

/**
 * @param rows the training rows; they are read here and used nowhere else
 * @param budget what may be learnt about them; no sum is answered that would exceed it
 */
export function createOwner(rows: readonly TableRow[], budget?: RowBudget): Role {
  let refusedAt: Hex | undefined
  const keyOf = (view: JobView): string => `private/${view.job}/${view.round}/${view.baseRoot}`

  function load(view: JobView, plan: TrainingPlan): Progress {
    const saved = view.ports.disk.get(keyOf(view))
    if (saved) return JSON.parse(saved) as Progress
    return { state: startTraining(plan), sumAttempt: 0, steps: [], sinceMs: view.nowMs }
  }

  const save = (view: JobView, progress: Progress): void => view.ports.disk.set(keyOf(view), JSON.stringify(progress))

  /** Secret of this job's masks and row draws; made once and never shown. */
  function secretOf(view: JobView): Uint8Array {
    const key = `private-secret/${view.job}`
    const saved = view.ports.disk.get(key)
    if (saved) return fromHex(saved)
    const secret = view.ports.random(32)
    view.ports.disk.set(key, toHex(secret))
    return secret
  }

  /** Messages of all members for one step and attempt, or undefined while some are missing. */
  function complete<T extends { node: Hex }>(plan: TrainingPlan, messages: readonly T[]): Map<string, T> | undefined {
    const byMember = new Map(messages.map((message) => [message.node as string, message]))
    return plan.members.every((member) => byMember.has(member)) ? byMember : undefined
  }

  function maskedOf(
    view: JobView,
    plan: TrainingPlan,
    step: number,
    attempt: number,
  ): Map<string, Known<'masked'>> | undefined {
    const ofAttempt = view.inbox
      .of('masked', view.job, view.round)
      .filter(({ node, body }) => body.step === step && body.attempt === attempt && plan.members.includes(node))
    return complete(plan, ofAttempt)
  }

  /** When this attempt last came forward: it began, or a member's message for it arrived. */
  function lastSignMs(view: JobView, keys: readonly Known<'maskKey'>[], { state, sinceMs }: Progress): number {
    const masked = view.inbox.of('masked', view.job, view.round)
    const signs = [...keys, ...masked].filter(({ body }) => body.step === state.round && body.attempt === state.attempt)
    return Math.max(sinceMs, ...signs.map(({ seenMs }) => seenMs))
  }

  /** Takes the step with the attempt given, or starts the next attempt when its vectors do not add up. */
  function takeStep(view: JobView, plan: TrainingPlan, progress: Progress, attempt: number): Progress {
    const masked = maskedOf(view, plan, progress.state.round, attempt)
    if (!masked) return progress
    const state = { ...progress.state, attempt }
    const words = vectorLength(plan, state)
    try {
      const vectors = new Map([...masked].map(([member, { body }]) => [member, wordsFromBytes(body.vector, words)]))
      const next = completeRound(plan, state, vectors)
      const kept = plan.members.map((member) => toHex((masked.get(member) as Known<'masked'>).body.vector))
      view.ports.log('info', 'masked sum complete', { job: view.job, step: state.round, attempt })
      return {
        state: next,
        sumAttempt: attempt,
        steps: [...progress.steps, { attempt, vectors: kept }],
        sinceMs: view.nowMs,
      }
    } catch (error) {
      if (codeOf(error) !== 'SUM_IS_NOISE' && codeOf(error) !== 'BAD_LENGTH') throw error
      view.ports.log('warn', 'masked sum refused', { job: view.job, step: state.round, attempt, why: String(error) })
      return { ...progress, state: retryRound(progress.state), sinceMs: view.nowMs }
    }
  }

  /**
   * Says our key of the present attempt and every masked vector, of this step and the one before, that we ever said: members
   * behind us can finish only with these, whether we restarted meanwhile or are done.
   */
  async function standBy(view: JobView, plan: TrainingPlan, { state, sumAttempt }: Progress): Promise<void> {
    const { job, round, outbox, ports } = view
    const { round: step, attempt } = state
    const keyName = `${job}/${round}/maskKey/${step}/${attempt}`
    if (!outbox.has(keyName)) {
      const publicKey = toHex(roundKeys(plan, state, secretOf(view)).publicKey)
      await outbox.stand(keyName, { kind: 'maskKey', body: { job, round, step, attempt, sumAttempt, publicKey } })
    }
    outbox.drop(`${job}/${round}/maskKey/${step - 2}/`)
    outbox.drop(`${job}/${round}/masked/${step - 2}/`)
    const prefix = `said/${job}/${round}/masked/`
    for (const key of ports.disk.keys(prefix)) {
      const [ofStep = 0, ofAttempt = 0] = key.slice(prefix.length).split('/').map(Number)
      const name = key.slice('said/'.length)
      if (ofStep < step - 1 || outbox.has(name)) continue
      const vector = new Uint8Array(fromHex(ports.disk.get(key) as Hex))
      await outbox.stand(name, { kind: 'masked', body: { job, round, step: ofStep, attempt: ofAttempt, vector } })
    }
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

  async function advance(view: JobView, plan: TrainingPlan, before: Progress): Promise<Progress> {
    const { job, round, inbox, outbox, ports, identity } = view
    let progress = before
    const step = progress.state.round
    const keys = inbox.of('maskKey', job, round).filter(({ node }) => plan.members.includes(node))

    // Somebody is past this step: finish it by the attempt they name.
    const ahead = keys.find(({ body }) => body.step === step + 1)
    if (ahead) {
      const taken = takeStep(view, plan, progress, ahead.body.sumAttempt)
      if (taken.state.round > step) return taken
    }
    // Somebody has given this attempt up: we never complete it ourselves from here on.
    const newest = Math.max(...keys.filter(({ body }) => body.step === step).map(({ body }) => body.attempt), 0)
    const isStuck = view.nowMs - lastSignMs(view, keys, progress) > patienceMs(view, progress.state.attempt)
    if (!ahead && (newest > progress.state.attempt || isStuck)) {
      ports.log('warn', 'starting a new attempt at a masked sum', {
        job,
        step,
        attempt: progress.state.attempt + 1,
        members: plan.members.length,
      })
      let state = progress.state
      do state = retryRound(state)
      while (state.attempt < newest)
      progress = { ...progress, state, sinceMs: view.nowMs }
      save(view, progress)
    }

    await standBy(view, plan, progress)
    const { attempt } = progress.state
    const secret = secretOf(view)
    const ofAttempt = complete(
      plan,
      keys.filter(({ body }) => body.step === step && body.attempt === attempt),
    )
    if (!ofAttempt) return progress
    const publicKeys = new Map([...ofAttempt].map(([member, { body }]) => [member, fromHex(body.publicKey)]))
    const maskedName = `${job}/${round}/masked/${step}/${attempt}`
    if (!outbox.has(maskedName)) {
      if (!isAllowed(view, plan, progress.state, publicKeys)) return progress
      const { state, masked } = contribute(plan, progress.state, { self: identity.node, secret, rows }, publicKeys)
      progress = { ...progress, state }
      // In this order: what stands under `said/` is repeated, so it must be known first under which keys it was masked.
      save(view, progress)
      ports.disk.set(`said/${maskedName}`, toHex(wordsToBytes(masked)))
      await standBy(view, plan, progress)
    }
    return takeStep(view, plan, progress, attempt)
  }

  async function deliver(view: JobView, plan: TrainingPlan, progress: Progress): Promise<void> {
    const { identity, ports } = view
    const update = encode({
      type: 'transcript',
      job: view.job,
      members: [...plan.members],
      steps: progress.steps.map(({ attempt, vectors }) => ({ attempt, vectors: vectors.map(fromHex) })),
    })
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
    ports.log('info', 'private training done', { job: view.job, steps: progress.steps.length })
  }

  return {
    refuses: (document) => (document.kind === 'tabular' ? budget?.refuses(document) : undefined),

    async tick(view) {
      const { document, status, identity, facts } = view
      if (document.kind !== 'tabular' || status.phase !== Phase.open || !facts.workers.includes(identity.node)) return
      await standByDeliveries(view)
      const plan = planOf(view.job, document, facts.workers)
      let progress = load(view, plan)
      if (loadDeliveries(view).length > 0) return standBy(view, plan, progress)
      // Take every step that can be taken now: waiting for the next tick would only cost time.
      for (let before = -1; before !== progress.state.round && !progress.state.isDone; ) {
        before = progress.state.round
        progress = await advance(view, plan, progress)
        save(view, progress)
      }
      if (progress.state.isDone) await deliver(view, plan, progress)
    },
  }
}
