/**
 * The daemon's inside, without clock, disk or socket of its own: keeps what the chain and the gossip say, and lets each role look at each
 * job again and again. Roles decide on what is there now, never on what they remember having started; so a restart needs no recovery.
 */
import { networkName } from '@potluck/chain'
import {
  type Body,
  codeOf,
  drawCommittee,
  type Hex,
  type JobDocument,
  jobDocument,
  jobsDomain,
  type Message,
  openMessage,
  type Received,
} from '@potluck/protocol'
import { DAG_CBOR, RAW } from '@potluck/store'
import { ChainHistory } from './ChainHistory.ts'
import { Directory } from './Directory.ts'
import { decodeDocument } from './decodeDocument.ts'
import { Inbox, type Known } from './Inbox.ts'
import { hasOpenDispute, type JobFacts, JobRole, lower } from './JobFacts.ts'
import { type JobStatus, type JobTerms, type JobView, type NodeContext, Phase } from './JobView.ts'
import { Outbox } from './Outbox.ts'
import type { Identity, Ports } from './Ports.ts'
import type { JobProgram } from './program/JobProgram.ts'
import { dataOfJob } from './roles/dataOfJob.ts'
import { enrol, mayEnrol, rolesToTake } from './roles/enrolment.ts'
import { assignShares } from './round/assignShares.ts'
import { type DataOfJob, refuseData } from './round/refuseData.ts'

export type Role = { tick(view: JobView): Promise<void> }
/** A role that looks at the whole chain rather than at one job. */
export type Chore = { tick(context: NodeContext, history: ChainHistory): Promise<void> }
export type ProgramOf = (
  job: number,
  document: JobDocument,
  facts: JobFacts,
  view: { sources(): string[] },
) => Promise<JobProgram>

const HELLO_MS = 10_000
const TICK_MS = 250
/** How often the chain is asked for news: as often as an embedded chain has any, or seldom without a part in a job. */
const READ_MS = 230
const IDLE_READ_MS = 1_000
/** Wait after news before looking again: messages come in bursts. */
const BREATH_MS = 40
/** After a revert the same transaction is not tried again at once: usually another node was first. */
const RETRY_MS = 750
/** Between tries to join a job that is under way. */
const LATE_MS = 20_000
/** A status is read again after this long even without an event. */
const STATUS_MS = 5_000

type Drawn = { key: string; committee: Hex[]; assignment: Hex[][] }

type JobMemory = {
  terms?: JobTerms
  document?: JobDocument
  program?: Promise<JobProgram>
  status?: JobStatus
  statusMs: number
  data?: Promise<DataOfJob | undefined>
  /** Why the node keeps out of the job, as it was last logged. */
  refused?: string
  acted: Map<string, number>
  enrolledMs: number
  drawn?: Drawn
}

export class NodeRuntime {
  readonly context: NodeContext
  readonly history = new ChainHistory()
  readonly network: string
  #roles: readonly Role[]
  #chores: readonly Chore[]
  #programOf: ProgramOf
  #isExact: () => Promise<boolean>
  #jobs = new Map<number, JobMemory>()
  #nextBlock: bigint
  #blockNumber = 0n
  #helloMs = 0
  #peer: string
  #open: typeof openMessage
  #startedMs: number
  #isEngaged = false
  #readMs = 0
  #served = ''
  #wake: (() => void) | undefined
  /** What hellos say about the models this node runs. */
  serves: (() => Body<'hello'>['serves']) | undefined

  constructor(
    ports: Ports,
    identity: Identity,
    options: {
      roles: readonly Role[]
      chores: readonly Chore[]
      programOf: ProgramOf
      peer: string
      /** Whether this machine computes what everybody computes; asked before it enrols in an exact job. */
      isExact?: () => Promise<boolean>
      /** Opens messages; a simulation of many nodes in one process opens each message once. */
      open?: typeof openMessage
    },
  ) {
    const { deployment } = ports.chain
    this.network = networkName(deployment)
    const inbox = new Inbox()
    const echo = (message: Message, atMs: number): void => {
      const { node, key } = identity
      inbox.add({ ...message, from: key, node, atMs, seenMs: atMs, id: '0x', bytes: new Uint8Array() } as Known)
    }
    this.context = {
      ports,
      identity,
      inbox,
      outbox: new Outbox(ports, identity, this.network, echo),
      directory: new Directory(),
      jobsDomain: jobsDomain(deployment.chainId, deployment.contracts.jobs),
    }
    this.#roles = options.roles
    this.#chores = options.chores
    this.#programOf = options.programOf
    this.#isExact = options.isExact ?? (() => Promise.resolve(true))
    this.#peer = options.peer
    this.#open = options.open ?? openMessage
    this.#nextBlock = BigInt(deployment.block)
    this.#startedMs = ports.clock.nowMs()
  }

  /** Takes one gossip message; the answer is for the gossip layer. */
  receive(bytes: Uint8Array): 'accept' | 'ignore' | 'reject' {
    const { ports, inbox, directory } = this.context
    const nowMs = ports.clock.nowMs()
    const opened = this.#open(this.network, bytes, nowMs)
    if (!opened.ok) {
      ports.log(opened.action === 'reject' ? 'warn' : 'debug', 'message refused', {
        rule: opened.rule,
        why: opened.reason,
      })
      return opened.action
    }
    const { message } = opened
    const node = this.history.nodeOfKey.get(message.from)
    // The sender may have registered in a block we have not read yet.
    if (!node) return 'ignore'
    if (message.kind === 'hello') {
      directory.see({ node, key: message.from, ...message.body, seenMs: nowMs })
      return 'accept'
    }
    if (message.kind !== 'receipts' && inbox.add({ ...message, node, seenMs: nowMs } as Known)) {
      if (message.kind !== 'beat' && this.#isEngaged) this.#wake?.()
    }
    for (const listener of this.#listeners) listener({ ...message, node })
    return 'accept'
  }

  #listeners = new Set<(message: Received & { node: Hex }) => void>()

  /** Hears every accepted message but hellos. */
  onMessage(listener: (message: Received & { node: Hex }) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Works until the ports' signal is aborted. A failing tick is logged and tried again; nothing here ends the process. */
  async run(): Promise<void> {
    const { ports } = this.context
    while (!ports.signal.aborted) {
      try {
        await this.tick()
      } catch (error) {
        if (!ports.signal.aborted)
          ports.log('warn', 'tick failed', { code: codeOf(error) ?? '', why: (error as Error).message })
      }
      await this.#rest()
    }
  }

  /** Waits for the next tick; a message that was news brings it forward, after a breath in which more may come. */
  async #rest(): Promise<void> {
    const { ports } = this.context
    const early = new AbortController()
    this.#wake = () => early.abort(new Error('news'))
    try {
      await ports.clock.sleep(TICK_MS, AbortSignal.any([ports.signal, early.signal]))
    } catch (error) {
      if (ports.signal.aborted) return
      if (!early.signal.aborted) throw error
      this.#wake = undefined
      await ports.clock.sleep(BREATH_MS)
    } finally {
      this.#wake = undefined
    }
  }

  /** Looks once at everything. */
  async tick(): Promise<void> {
    await this.#readChain()
    await this.#hello()
    await this.context.outbox.repeat()
    this.#isEngaged = false
    for (const facts of this.history.jobs.values()) {
      try {
        await this.#tickJob(facts)
      } catch (error) {
        this.context.ports.log('warn', 'job tick failed', {
          job: facts.job,
          code: codeOf(error) ?? '',
          why: (error as Error).message,
        })
      }
    }
    for (const chore of this.#chores) await chore.tick(this.context, this.history)
  }

  async #readChain(): Promise<void> {
    const { chain, clock } = this.context.ports
    // A node that has no part in a running job need not hear of every block at once.
    const now = clock.nowMs()
    if (now - this.#readMs < (this.#isEngaged ? READ_MS : IDLE_READ_MS)) return
    this.#readMs = now
    const head = await chain.blockNumber()
    if (head === this.#blockNumber) return
    if (head >= this.#nextBlock) {
      const events = await chain.events({ fromBlock: this.#nextBlock, toBlock: head })
      for (const event of events) this.history.fold(event)
      this.#nextBlock = head + 1n
    }
    this.#blockNumber = head
  }

  async #hello(): Promise<void> {
    const { ports, identity, outbox } = this.context
    const now = ports.clock.nowMs()
    // The first hellos may go out before anybody is connected.
    const everyMs = now - this.#startedMs < HELLO_MS ? 2_500 : HELLO_MS
    const serves = this.serves?.() ?? null
    const served = serves?.versions.join() ?? ''
    if (now - this.#helloMs < everyMs && served === this.#served) return
    this.#helloMs = now
    this.#served = served
    const { url, roles, region } = identity
    const body = { url, roles, peer: this.#peer, serves, ...(region === undefined ? {} : { region }) }
    await outbox.say({ kind: 'hello', body })
  }

  /** The round this node believes a job to be in; 0 before it knows. */
  roundOf(job: number): number {
    return this.#jobs.get(job)?.status?.round ?? 0
  }

  get blockNumber(): bigint {
    return this.#blockNumber
  }

  /** Where blocks may be had: the addresses given, then everybody heard of lately, then whoever is registered. */
  sources(...first: (string | undefined)[]): string[] {
    const { directory, ports, identity } = this.context
    const peers = directory.all(ports.clock.nowMs()).map(({ url }) => url)
    const given = first.filter((url) => url !== undefined)
    const all = new Set([...given, ...peers, ...this.history.endpointOf.values()])
    all.delete(identity.url)
    return [...all]
  }

  #urlOf(node: Hex | null): string | undefined {
    return node ? (this.context.directory.urlOf(node) ?? this.history.endpointOf.get(node)) : undefined
  }

  /** The job's terms and document, fetched once. */
  async describe(facts: JobFacts): Promise<{ terms: JobTerms; document: JobDocument }> {
    const memory = this.#memory(facts.job)
    const { ports } = this.context
    memory.terms ??= await ports.chain.read.jobs.termsOf([BigInt(facts.job)])
    memory.document ??= decodeDocument(
      jobDocument,
      await ports.fetch(lower(memory.terms.specDigest), DAG_CBOR, this.sources(this.#urlOf(facts.builder))),
    )
    return { terms: memory.terms, document: memory.document }
  }

  #memory(job: number): JobMemory {
    const memory = this.#jobs.get(job) ?? { statusMs: 0, acted: new Map(), enrolledMs: 0 }
    this.#jobs.set(job, memory)
    return memory
  }

  async #tickJob(facts: JobFacts): Promise<void> {
    const { ports, identity } = this.context
    const memory = this.#memory(facts.job)
    const nowMs = ports.clock.nowMs()
    if (facts.isOver && memory.status?.phase === Phase.done && !hasOpenDispute(facts)) return
    const isMember = [facts.workers, facts.validators, facts.witnesses].some((list) => list.includes(identity.node))
    const mayJoin = this.#roles.length > 0 && (!memory.status || mayEnrol(memory.status, memory.terms, facts, identity))
    if (!isMember && !mayJoin) return
    if (!memory.status || this.history.touched.delete(facts.job) || nowMs - memory.statusMs > STATUS_MS) {
      memory.status = await ports.chain.read.jobs.status([BigInt(facts.job)])
      memory.statusMs = nowMs
    }
    const { status } = memory
    if (status.phase === Phase.none || status.phase >= Phase.done) {
      this.context.outbox.drop(`${facts.job}/`)
      // A worker defends its claims to the end, even when the job did not wait for it.
      if (!hasOpenDispute(facts)) return
    }
    const { terms, document } = await this.describe(facts)
    const data = await this.#dataOf(facts, memory, terms, document)
    const refusal = data && refuseData(identity.region, data)
    if (refusal !== undefined) {
      if (memory.refused !== refusal) ports.log('warn', 'job refused', { job: facts.job, why: refusal })
      memory.refused = refusal
      return
    }
    if (!isMember || status.phase === Phase.enrolling) {
      if (nowMs - memory.enrolledMs < (status.phase === Phase.enrolling ? RETRY_MS : LATE_MS)) return
      memory.enrolledMs = nowMs
      const versions = this.history.versionsOwnedBy(identity.node)
      const roles = rolesToTake(identity, document, versions)
      const isSure = document.kind !== 'language' || roles.every((role) => role === JobRole.witness)
      const taken = isSure || (await this.#isExact()) ? roles : rolesToTake(identity, document, versions, false)
      const isLate = status.phase > Phase.enrolling
      if (isLate && !mayEnrol(status, terms, facts, identity)) return
      return enrol(this.context, facts, terms, isLate ? taken.filter((role) => role === JobRole.worker) : taken)
    }
    this.#isEngaged = true
    memory.program ??= this.#programOf(facts.job, document, facts, {
      sources: () => this.sources(this.#urlOf(facts.builder)),
    })
    try {
      const view = this.#view(facts, memory, status, terms, document, await memory.program, data)
      for (const role of this.#roles) await role.tick(view)
    } catch (error) {
      // A program that could not be made, for want of its data, is made anew next time.
      if (codeOf(error) === 'NOT_FOUND') delete memory.program
      throw error
    }
  }

  /** What the job's datasets ask, read once; read again when it could not be had. */
  #dataOf(facts: JobFacts, memory: JobMemory, terms: JobTerms, document: JobDocument): Promise<DataOfJob | undefined> {
    const sources = this.sources(this.#urlOf(facts.builder))
    memory.data ??= dataOfJob(this.context.ports, this.history, terms, document, sources).catch((error: unknown) => {
      delete memory.data
      throw error
    })
    return memory.data
  }

  /** Committee and assignment of an opening; drawn anew only when something they follow from has changed. */
  #drawn(facts: JobFacts, memory: JobMemory, seed: Hex, committeeSize: number, shares: number): Drawn {
    const standing = facts.due.filter((worker) => !facts.expelled.has(worker))
    const key = [seed, facts.witnesses.length, shares, ...standing].join()
    if (memory.drawn?.key === key) return memory.drawn
    const places = drawCommittee(seed, facts.witnesses.length, committeeSize)
    const committee = places.map((i) => facts.witnesses[i] as Hex)
    memory.drawn = { key, committee, assignment: assignShares(seed, standing, shares) }
    return memory.drawn
  }

  #view(
    facts: JobFacts,
    memory: JobMemory,
    status: JobStatus,
    terms: JobTerms,
    document: JobDocument,
    program: JobProgram,
    data: DataOfJob | undefined,
  ): JobView {
    const { ports, inbox, outbox } = this.context
    const { job } = facts
    const round = status.round
    inbox.enter(job, round)
    for (const old of [round - 1, round - 2]) outbox.drop(`${job}/${old}/`)
    const seed = lower(status.committeeSeed)
    const { committee, assignment } = this.#drawn(facts, memory, seed, terms.committeeSize, program.shares)
    const baseDigest = lower(status.finalRounds > 0 ? status.finalStateDigest : terms.baseDigest)
    const sources = (...first: (string | undefined)[]): string[] => this.sources(...first)
    return {
      ...this.context,
      job,
      facts,
      status: {
        ...status,
        beacon: lower(status.beacon),
        directHash: lower(status.directHash),
        setRoot: lower(status.setRoot),
        proposalHash: lower(status.proposalHash),
      },
      terms,
      document,
      program,
      residencies: data?.residencies ?? new Map(),
      round,
      committee,
      assignment,
      nowMs: ports.clock.nowMs(),
      blockNumber: this.#blockNumber,
      baseDigest,
      baseRoot: lower(status.finalRounds > 0 ? status.finalStateRoot : terms.baseRoot),
      baseState: () => ports.fetch(baseDigest, RAW, sources()),
      sources,
      act: async (what, send) => {
        const key = `${what}/${round}`
        const now = ports.clock.nowMs()
        if (now - (memory.acted.get(key) ?? 0) < RETRY_MS) return false
        memory.acted.set(key, now)
        try {
          await send()
          ports.log('info', what, { job, round })
          this.history.touched.add(job)
          return true
        } catch (error) {
          if (codeOf(error) !== 'REVERTED') throw error
          ports.log('debug', `${what}: refused`, { job, round, why: (error as Error).message })
          this.history.touched.add(job)
          return false
        } finally {
          memory.acted.set(key, ports.clock.nowMs())
        }
      },
    }
  }
}
