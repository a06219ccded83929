/**
 * A member of the committee that says which updates exist (design 4.4). Every member can lead: the first in the drawn order at once,
 * each later one after a wait, so that no single silence stops a round.
 */
import {
  attestationDigest,
  type Claim,
  claimLeafHash,
  codeOf,
  concatBytes,
  fromHex,
  type Hex,
  type Message,
  merkleRootOfBytes,
  recoverSigner,
  setTree,
  signDigest,
  toHex,
} from '@potluck/protocol'
import { RAW } from '@potluck/store'
import { type JobView, Phase } from '../JobView.ts'
import type { JobProgram } from '../program/JobProgram.ts'
import { checkClaim } from '../round/checkClaim.ts'
import { chooseClaims } from '../round/chooseClaims.ts'
import { refuseRegion } from '../round/refuseData.ts'
import { commitOf } from './delivery.ts'

/** Wait of each later member before it leads: a few gossip hops and a transaction. */
const LEADER_STEP_MS = 4_000
/** How long a leader waits for closed commits to be opened before it goes on without them. */
const OPENING_MS = 6_000
/** A fixed set that nobody has repeated for this long is repeated by another member: two repeats missed. */
const SET_SILENCE_MS = 14_000

type SetBody = Extract<Message, { kind: 'set' }>['body']
type Held = { claim: Claim; states: Hex[]; hash: Hex }
type RoundMemory = {
  key: string
  readyMs?: number
  closedMs?: number
  fixSentMs?: number
  held: Map<Hex, Held>
  refused: Set<Hex>
  /** Attestations whose signature was checked, by digest and signature: a check takes a millisecond. */
  signers: Map<string, Hex | undefined>
  /** Refusals that were logged. */
  told: Set<string>
}

export function createWitness(): { tick(view: JobView): Promise<void> } {
  const rounds = new Map<number, RoundMemory>()
  /** Sets that this node signed in the present round of a job, over all its openings: an older one may still be fixed. */
  const signed = new Map<number, { round: number; sets: Map<Hex, SetBody> }>()
  /** Leaves of claims as messages brought them: every look at a round needs all of them again. */
  const hashes = new WeakMap<Claim, Hex>()

  function hashOf(view: JobView, claim: Claim): Hex {
    const known = hashes.get(claim)
    if (known) return known
    const hash = claimLeafHash(view.job, view.round, claim)
    hashes.set(claim, hash)
    return hash
  }

  function memoryOf(view: JobView): RoundMemory {
    const key = `${view.round}/${view.status.attempt}/${view.baseRoot}`
    const before = rounds.get(view.job)
    if (before?.key === key) return before
    const fresh: RoundMemory = { key, held: new Map(), refused: new Set(), signers: new Map(), told: new Set() }
    rounds.set(view.job, fresh)
    return fresh
  }

  function signedSets({ job, round }: JobView): Map<Hex, SetBody> {
    const before = signed.get(job)
    if (before?.round === round) return before.sets
    const sets = new Map<Hex, SetBody>()
    signed.set(job, { round, sets })
    return sets
  }

  /** Checks and fetches what was opened; keeps the update, so that it can be had from here too. */
  async function holdClaims(view: JobView, memory: RoundMemory): Promise<void> {
    const { job, round, inbox, ports, program } = view
    const commits = new Map(
      inbox.of('commit', job, round).map(({ node, body }) => [`${node}/${body.share}`, body.commit]),
    )
    for (const message of inbox.of('claim', job, round)) {
      const { claim, states, url } = message.body
      const hash = hashOf(view, claim)
      if (memory.held.has(hash) || memory.refused.has(hash) || message.node !== claim.worker) continue
      const verdict = checkClaim(claim, {
        job,
        round,
        baseRoot: view.baseRoot,
        shares: program.shares,
        workers: view.facts.workers,
        expelled: view.facts.expelled,
        commit: commits.get(`${claim.worker}/${claim.share}`),
        opened: commitOf(view, claim),
        known: new Map([...memory.held.values()].map(({ claim: other }) => [other.updateDigest, other.worker])),
        units: program.units,
        states,
        stateCount: program.states,
        copiesAllowed: !program.isExact,
        refusedData: refuseRegion(regionOf(view, claim.worker), view.residencies),
      })
      if (!verdict.ok) {
        if (verdict.action === 'reject') memory.refused.add(hash)
        const said = `${hash}/${verdict.rule}`
        if (memory.told.has(said)) continue
        memory.told.add(said)
        ports.log('warn', 'claim refused', {
          job,
          round,
          worker: claim.worker,
          rule: verdict.rule,
          why: verdict.reason,
        })
        continue
      }
      try {
        const update = await ports.fetch(claim.updateDigest, RAW, view.sources(url))
        const why = refuseTensor(program, update, claim)
        if (why === undefined) memory.held.set(hash, { claim, states, hash })
        else {
          memory.refused.add(hash)
          ports.log('warn', 'update refused', { job, round, worker: claim.worker, why })
        }
      } catch (error) {
        ports.log('warn', 'update missing', { job, round, worker: claim.worker, why: (error as Error).message })
      }
    }
  }

  async function lead(view: JobView, memory: RoundMemory, place: number): Promise<void> {
    const { job, round, inbox, outbox, status, document, program } = view
    const commits = inbox
      .of('commit', job, round)
      .filter(({ node }) => view.facts.workers.includes(node) && !view.facts.expelled.has(node))
      .map(({ node, body }) => ({ worker: node, share: body.share, commit: body.commit }))
    const chosen = chooseClaims(commits, view.assignment)
    const isLate = view.nowMs > (Number(status.openedAt) + document.workSeconds) * 1000
    if (chosen.length < program.shares && !(isLate && chosen.length > 0)) return
    memory.readyMs ??= view.nowMs
    // While somebody before us leads, we follow: the wait starts anew with each of its messages.
    const leading = [...inbox.of('close', job, round), ...inbox.of('set', job, round)]
      .filter(({ node }) => view.committee.slice(0, place).includes(node))
      .map(({ seenMs }) => seenMs)
    if (view.nowMs - Math.max(memory.readyMs, ...leading) < place * LEADER_STEP_MS) return

    // Of this opening: what was said in one before it names another committee and older commits.
    const closeKey = `${job}/${round}/close/${status.attempt}`
    memory.closedMs ??= view.nowMs
    if (!outbox.has(closeKey)) {
      outbox.drop(`${job}/${round}/close/`)
      await outbox.stand(closeKey, { kind: 'close', body: { job, round, commits: chosen } })
    }
    const closed = inbox.of('close', job, round).filter(({ node }) => view.committee.includes(node))
    const wanted = new Set([...chosen, ...closed.flatMap(({ body }) => body.commits)].map(({ commit }) => commit))
    const opened = [...memory.held.values()].map(({ claim }) => claim)
    const claims = chooseClaims(opened, view.assignment)
    const missing = [...wanted].filter((commit) => !opened.some((claim) => commitOf(view, claim) === commit))
    const isPatient = view.nowMs - memory.closedMs < OPENING_MS
    if (claims.length === 0 || (missing.length > 0 && isPatient)) return
    // A claim posted on chain makes every set before it unusable.
    const setKey = `${job}/${round}/set/${status.attempt}/${status.directHash}`
    if (!outbox.has(setKey)) {
      outbox.drop(`${job}/${round}/set/`)
      const states = claims.map((claim) => memory.held.get(hashOf(view, claim))?.states ?? [])
      await outbox.stand(setKey, { kind: 'set', body: { job, round, claims, states, directHash: status.directHash } })
    }
  }

  /** Signs every set whose updates are all held here; more than one may be proposed, the first with a quorum wins. */
  async function attest(view: JobView, memory: RoundMemory): Promise<void> {
    const { job, round, inbox, outbox, identity, status } = view
    for (const { node, body } of inbox.of('set', job, round)) {
      if (!view.committee.includes(node) || body.directHash !== status.directHash) continue
      const leaves = body.claims.map((claim) => hashOf(view, claim))
      const isOrdered = body.claims.every((claim, i) => i === 0 || claim.share > (body.claims[i - 1] as Claim).share)
      if (leaves.length === 0 || !isOrdered || !leaves.every((hash) => memory.held.has(hash))) continue
      const setRoot = setTree(leaves).root
      // The same set after another posted claim is another statement, and takes the place of the one before.
      const key = `${job}/${round}/attest/${setRoot}/${body.directHash}`
      signedSets(view).set(setRoot, body)
      if (outbox.has(key)) continue
      outbox.drop(`${job}/${round}/attest/${setRoot}/`)
      const digest = attestationDigest(view.jobsDomain, {
        jobId: job,
        round,
        setRoot,
        count: leaves.length,
        directHash: body.directHash,
      })
      const signature = toHex(signDigest(digest, identity.secret))
      await outbox.stand(key, {
        kind: 'attest',
        body: { job, round, setRoot, count: leaves.length, directHash: body.directHash, signature },
      })
    }
  }

  /** Who signed an attestation; undefined when nobody did: what a peer sends must not stop the round. */
  function signerOf(memory: RoundMemory, digest: Uint8Array, signature: Hex): Hex | undefined {
    const key = `${toHex(digest)}/${signature}`
    if (memory.signers.has(key)) return memory.signers.get(key)
    let signer: Hex | undefined
    try {
      signer = recoverSigner(digest, fromHex(signature))
    } catch (error) {
      if (codeOf(error) !== 'BAD_SIGNATURE') throw error
    }
    memory.signers.set(key, signer)
    return signer
  }

  async function bringToChain(view: JobView, memory: RoundMemory, place: number): Promise<void> {
    const { job, round, inbox, status, terms, ports } = view
    const bySet = Map.groupBy(inbox.of('attest', job, round), ({ body }) => `${body.setRoot}/${body.directHash}`)
    for (const attests of bySet.values()) {
      const { setRoot, count, directHash } = (attests[0] as (typeof attests)[number]).body
      if (directHash !== status.directHash) continue
      const digest = attestationDigest(view.jobsDomain, { jobId: job, round, setRoot, count, directHash })
      const byMember = new Map(
        attests
          .filter(({ node, body }) => body.count === count && view.committee.includes(node))
          .filter(({ body, from }) => signerOf(memory, digest, body.signature) === from)
          .map(({ node, body }) => [node, fromHex(body.signature)]),
      )
      const signers = view.committee
        .map((member, i) => ({ i, signature: byMember.get(member) }))
        .filter(({ signature }) => signature)
      if (signers.length < terms.quorum) continue
      memory.readyMs ??= view.nowMs
      const wait = memory.fixSentMs === undefined ? place * LEADER_STEP_MS : LEADER_STEP_MS
      if (view.nowMs - (memory.fixSentMs ?? memory.readyMs) < wait) continue
      memory.fixSentMs = view.nowMs
      const quorum = signers.slice(0, terms.quorum)
      const bits = quorum.reduce((sum, { i }) => sum | (1n << BigInt(i)), 0n)
      const signatures = toHex(concatBytes(...quorum.map(({ signature }) => signature as Uint8Array)))
      await view.act('fix set', () =>
        ports.chain.send('jobs', 'fixSet', [BigInt(job), round, setRoot, count, directHash, bits, signatures]),
      )
      return
    }
  }

  /** The validators need the claims behind the fixed root: when whoever proposed the set falls silent, another member repeats it. */
  async function keepSet(view: JobView, place: number): Promise<void> {
    const { job, round, inbox, outbox, status, nowMs } = view
    const key = `${job}/${round}/fixed`
    const patienceMs = SET_SILENCE_MS + place * LEADER_STEP_MS
    if (nowMs - Number(status.fixedAt) * 1000 < patienceMs || outbox.has(key)) return
    const sets = inbox.of('set', job, round)
    const fixed = sets.filter(
      ({ body }) => setTree(body.claims.map((claim) => hashOf(view, claim))).root === status.setRoot,
    )
    const body = fixed[0]?.body ?? signedSets(view).get(status.setRoot)
    if (body && nowMs - Math.max(0, ...fixed.map(({ seenMs }) => seenMs)) > patienceMs)
      await outbox.stand(key, { kind: 'set', body })
  }

  return {
    async tick(view) {
      const { status, job, round, ports } = view
      const place = view.committee.indexOf(view.identity.node)
      if (place < 0) return
      if (status.phase !== Phase.open) return keepSet(view, place)
      const memory = memoryOf(view)
      await holdClaims(view, memory)
      await lead(view, memory, place)
      await attest(view, memory)
      await bringToChain(view, memory, place)
      const skipMs = (Number(status.openedAt) + view.terms.fixSeconds) * 1000 + place * LEADER_STEP_MS
      if (view.nowMs > skipMs) {
        await view.act('skip round', () => ports.chain.send('jobs', 'skipRound', [BigInt(job), round]))
      }
    },
  }
}

/** Why these bytes are not the update that a claim speaks of, or undefined: the root in it is of what they unpack to (P-52). */
function refuseTensor(program: JobProgram, update: Uint8Array, { updateRoot, worker }: Claim): string | undefined {
  const why = program.refuseUpdate(update, worker)
  if (why !== undefined) return why
  return toHex(merkleRootOfBytes(program.tensorOf(update))) === updateRoot ? undefined : 'its Merkle root differs'
}

/** Where a worker says it is: we do not hear our own hello. */
const regionOf = ({ identity, directory }: JobView, worker: Hex): string | undefined =>
  worker === identity.node ? identity.region : directory.regionOf(worker)
