/** Draws the beacon, audits what it picks, votes against what is wrong, proposes and checks results, closes rounds. */
import { type Claim, fromHex, type Hex, onionLayers, setTree, toHex } from '@potluck/protocol'
import { claimArgument } from '@potluck/referee'
import { type JobView, Phase } from '../JobView.ts'
import { createAccusations, isRefereed } from './accusations.ts'
import { type Assessment, assessmentKey, beginAssessment, conclude, convictionsNow, recompute } from './assessment.ts'
import { createObjections } from './objections.ts'

/** Wait between nodes that would all send the same transaction. */
const STEP_MS = 2_500
const WRONG = 2

export const onionKey = (job: number): string => `onion/${job}`

export function createValidator(): { tick(view: JobView): Promise<void> } {
  /** By job: a validator of several jobs must not lose one's knowledge to another's tick. */
  const assessments = new Map<number, Assessment>()
  let busy: { job: number; key: string; stop: AbortController } | undefined
  const voted = new Set<Hex>()
  const accusations = createAccusations()
  const objections = createObjections(vote)

  /** One piece of heavy work at a time; the tick goes on without it. */
  function run(view: JobView, work: (signal: AbortSignal) => Promise<void>): void {
    if (busy) return
    const stop = new AbortController()
    busy = { job: view.job, key: assessmentKey(view), stop }
    void work(stop.signal)
      .catch((error: unknown) => {
        if (!stop.signal.aborted)
          view.ports.log('warn', 'assessment stopped', { job: view.job, round: view.round, why: String(error) })
      })
      .finally(() => {
        busy = undefined
      })
  }

  async function reveal(view: JobView, place: number): Promise<void> {
    const { job, round, status, terms, ports, identity } = view
    if (view.blockNumber < status.fixedBlock + BigInt(terms.beaconBlocks)) return
    const isRevealed = (status.revealedBits >> BigInt(place)) & 1n
    const secret = ports.disk.get(onionKey(job))
    if (!isRevealed && secret) {
      const head = await ports.chain.read.jobs.onionOf([BigInt(job), identity.node])
      const layers = onionLayers(fromHex(secret), terms.rounds)
      const layer = layers[layers.findIndex((candidate) => toHex(candidate) === head) + 1]
      if (layer) await view.act('reveal', () => ports.chain.send('jobs', 'reveal', [BigInt(job), round, toHex(layer)]))
    }
    const closeMs = (Number(status.fixedAt) + terms.revealSeconds) * 1000 + place * STEP_MS
    if (view.nowMs > closeMs)
      await view.act('close beacon', () => ports.chain.send('jobs', 'closeBeacon', [BigInt(job), round]))
  }

  async function vote(view: JobView, subject: Hex, found: Hex): Promise<boolean> {
    if (!voted.has(subject)) {
      const isSent = await view.act('vote', () =>
        view.ports.chain.send('judge', 'vote', [BigInt(view.job), subject, found]),
      )
      if (isSent) voted.add(subject)
    }
    return (await view.ports.chain.read.judge.verdict([BigInt(view.job), subject])) === WRONG
  }

  /** Has every claim that our own recomputation found wrong judged, and brings the verdict to the jobs contract. */
  async function prosecute(view: JobView, current: Assessment, place: number): Promise<void> {
    for (const [index, check] of current.ownChecks) {
      const claim = current.claims[index] as Claim
      const subject = current.hashes[index] as Hex
      if (view.facts.expelled.has(claim.worker)) continue
      if (isRefereed(view)) {
        const isMine = current.draws[index]?.auditor === view.identity.node
        const audited = { claim, subject, states: current.states[index], isMine, matches: check.matches }
        if (!(await accusations.pursue(view, place, audited))) continue
      } else if (check.matches || !(await vote(view, subject, check.correct))) continue
      await view.act('convict', () =>
        view.ports.chain.send('jobs', 'convict', [
          BigInt(view.job),
          view.round,
          claimArgument(claim),
          BigInt(index),
          setTree(current.hashes).proof(index),
        ]),
      )
    }
  }

  /** Claims that are drawn and neither confirmed by their auditor, nor by us, nor thrown out. */
  function openAudits(view: JobView, current: Assessment): number[] {
    const reports = view.inbox.of('audit', view.job, view.round)
    return current.draws
      .filter(({ index, auditor }) => {
        const worker = (current.claims[index] as Claim).worker
        if (!auditor || view.facts.expelled.has(worker) || current.ownChecks.get(index)?.matches) return false
        return !reports.some(
          ({ node, body }) => node === auditor && body.claim === current.hashes[index] && body.matches,
        )
      })
      .map(({ index }) => index)
  }

  /** The next claim this node should recompute: its own draws, then doubted ones, then those an auditor left lying. */
  function nextToRecompute(view: JobView, current: Assessment): number | undefined {
    const open = openAudits(view, current).filter((index) => !current.ownChecks.has(index))
    const own = open.find((index) => current.draws[index]?.auditor === view.identity.node)
    if (own !== undefined) return own
    const doubted = new Set(
      view.inbox
        .of('audit', view.job, view.round)
        .filter(({ node, body }) => view.facts.validators.includes(node) && !body.matches)
        .map(({ body }) => body.claim),
    )
    const patienceMs = (Number(view.status.beaconAt) + view.document.workSeconds) * 1000
    return open.find((index) => doubted.has(current.hashes[index] as Hex) || view.nowMs > patienceMs)
  }

  /** What this node knows of the job's present round; undefined while nobody has told us the set. */
  async function assessmentOf(view: JobView): Promise<Assessment | undefined> {
    const key = assessmentKey(view)
    if (busy?.job === view.job && busy.key !== key) busy.stop.abort()
    const known = assessments.get(view.job)
    if (known?.key === key) return known
    const fresh = await beginAssessment(view)
    if (fresh) assessments.set(view.job, fresh)
    return fresh
  }

  async function assess(view: JobView, place: number): Promise<Assessment | undefined> {
    const current = await assessmentOf(view)
    if (!current) return current
    // A conviction more changes what takes part.
    if (current.result && current.result.convictions !== convictionsNow(view)) delete current.result
    if (current.result) {
      await prosecute(view, current, place)
      return current
    }
    const index = view.program.isExact ? nextToRecompute(view, current) : undefined
    if (index !== undefined) {
      run(view, async (signal) => {
        const check = await recompute(view, current, index, signal)
        current.ownChecks.set(index, check)
        const claim = current.claims[index] as Claim
        const { matches, correct, probe } = check
        view.ports.log(matches ? 'info' : 'warn', matches ? 'audit matches' : 'audit found a wrong claim', {
          job: view.job,
          round: view.round,
          worker: claim.worker,
        })
        const body = {
          job: view.job,
          round: view.round,
          claim: current.hashes[index] as Hex,
          worker: claim.worker,
          matches,
          correct,
          probe,
        }
        await view.outbox.stand(`${view.job}/${view.round}/audit/${index}`, { kind: 'audit', body })
      })
    }
    await prosecute(view, current, place)
    if (openAudits(view, current).length === 0) {
      run(view, async () => {
        current.result = await conclude(view, current)
      })
    }
    return current
  }

  function isMyTurn(view: JobView, place: number): boolean {
    const { status, terms } = view
    const turn = Math.floor((view.nowMs / 1000 - Number(status.beaconAt)) / terms.turnSeconds)
    if (turn >= view.facts.validators.length) return true
    return (status.firstProposer + Math.max(0, turn)) % view.facts.validators.length === place
  }

  /** What is to be said of the proposal of now: by the referee where there is one, else by vote. */
  async function standingOf(view: JobView, current: Assessment, own: NonNullable<Assessment['result']>, place: number) {
    if (isRefereed(view)) return objections.pursue(view, place, current, own)
    if (own.hash === view.status.proposalHash) return 'right'
    return (await vote(view, view.status.proposalHash, own.hash)) ? 'wrong' : 'objected'
  }

  async function settle(view: JobView, current: Assessment | undefined, place: number): Promise<void> {
    const { job, round, status, terms, ports } = view
    const own = current?.result
    if (current && own) {
      const standing = await standingOf(view, current, own, place)
      if (standing === 'objected' || standing === 'wrong')
        ports.log('warn', 'proposal differs from ours', { job, round, proposer: status.proposer })
      if (standing === 'wrong')
        await view.act('convict proposal', () => ports.chain.send('jobs', 'convictProposal', [BigInt(job), round]))
      if (standing !== 'right') return
    }
    const isMine = status.proposer.toLowerCase() === view.identity.node
    const dueMs = (Number(status.proposedAt) + terms.challengeSeconds) * 1000 + (isMine ? 0 : (place + 1) * STEP_MS)
    if (view.nowMs >= dueMs)
      await view.act('finalise', () => ports.chain.send('jobs', 'finalise', [BigInt(job), round]))
  }

  return {
    async tick(view) {
      const { job, round, status, ports } = view
      const place = view.facts.validators.indexOf(view.identity.node)
      if (place < 0 || view.facts.expelled.has(view.identity.node)) return
      if (status.phase === Phase.beacon) return reveal(view, place)
      if (status.phase !== Phase.propose && status.phase !== Phase.challenge) return
      const current = await assess(view, place)
      if (status.phase === Phase.challenge) return settle(view, current, place)
      const result = current?.result
      if (result && isMyTurn(view, place)) {
        await view.act('propose', () => ports.chain.send('jobs', 'propose', [BigInt(job), round, result.proposal]))
      }
    },
  }
}
