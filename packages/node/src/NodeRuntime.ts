/**
 * The daemon's inside, without clock, disk or socket of its own: keeps what the chain and the gossip say, and lets each role look at each
 * job again and again. Roles decide on what is there now, never on what they remember having started; so a restart needs no recovery.
 */
import { networkName } from '@potluck/chain'
import { type Body, codeOf, type Hex, jobsDomain, type Message, openMessage, type Received } from '@potluck/protocol'
import { BlockSources } from './BlockSources.ts'
import { ChainHistory } from './ChainHistory.ts'
import { ChainReader } from './ChainReader.ts'
import { Directory } from './Directory.ts'
import { Greeter } from './Greeter.ts'
import { Inbox, type Known } from './Inbox.ts'
import { JobDesk } from './JobDesk.ts'
import type { NodeContext } from './JobView.ts'
import { Outbox } from './Outbox.ts'
import type { Identity, Ports } from './Ports.ts'
import type { Chore, ProgramOf, Role } from './Role.ts'

const TICK_MS = 250
/** Wait after news before looking again: messages come in bursts. */
const BREATH_MS = 40

export class NodeRuntime {
  readonly context: NodeContext
  readonly history = new ChainHistory()
  readonly network: string
  #chores: readonly Chore[]
  #sources: BlockSources
  #reader: ChainReader
  #greeter: Greeter
  #desk: JobDesk
  #open: typeof openMessage
  #listeners = new Set<(message: Received & { node: Hex }) => void>()
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
    this.#chores = options.chores
    this.#open = options.open ?? openMessage
    this.#sources = new BlockSources(this.context, this.history)
    this.#reader = new ChainReader(ports, this.history)
    this.#greeter = new Greeter(this.context, options.peer)
    this.#desk = new JobDesk(this.context, this.history, {
      roles: options.roles,
      programOf: options.programOf,
      isExact: options.isExact ?? (() => Promise.resolve(true)),
      sources: this.#sources,
      blockNumber: () => this.#reader.blockNumber,
    })
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
      if (message.kind !== 'beat' && this.#desk.isEngaged) this.#wake?.()
    }
    for (const listener of this.#listeners) listener({ ...message, node })
    return 'accept'
  }

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
    await this.#reader.read(this.#desk.isEngaged)
    await this.#greeter.greet(this.serves?.() ?? null)
    await this.context.outbox.repeat()
    this.#desk.begin()
    for (const facts of this.history.jobs.values()) {
      try {
        await this.#desk.look(facts)
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

  /** The round this node believes a job to be in; 0 before it knows. */
  roundOf(job: number): number {
    return this.#desk.roundOf(job)
  }

  get blockNumber(): bigint {
    return this.#reader.blockNumber
  }

  /** Where blocks may be had: the addresses given, then everybody heard of lately, then whoever is registered. */
  sources(...first: (string | undefined)[]): string[] {
    return this.#sources.all(...first)
  }
}
