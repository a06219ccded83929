/** For tests: the members of a private job, each with its own inbox, outbox and disk, over a network that loses what the test says. */
import assert from 'node:assert/strict'
import { decode } from '@ipld/dag-cbor'
import type { Chain } from '@potluck/chain'
import { heartSchema, inputNames, type TableRow } from '@potluck/learning'
import {
  abiEncode,
  addressOfSecret,
  fromHex,
  type Hex,
  keccak256,
  type Message,
  openMessage,
  sha256,
  type TabularJob,
  type Transcript,
  transcript,
  utf8,
} from '@potluck/protocol'
import { type BlockStore, cidOfDigest, memoryBlockStore, RAW } from '@potluck/store'
import { Directory } from '../Directory.ts'
import { Inbox, type Known } from '../Inbox.ts'
import { type JobStatus, type JobTerms, type JobView, Phase } from '../JobView.ts'
import { Outbox } from '../Outbox.ts'
import type { Disk, Identity, Ports } from '../Ports.ts'
import { tabularProgram } from '../program/tabularProgram.ts'
import { loadDeliveries } from '../roles/delivery.ts'
import { createOwner } from '../roles/owner.ts'
import { type Budget, createRowBudget } from '../roles/rowBudget.ts'

const ZERO_BYTES = new Uint8Array()
const ZERO: Hex = `0x${'00'.repeat(32)}`
const network = 'test'
export const plainJob: TabularJob = {
  type: 'job',
  kind: 'tabular',
  name: 'heart',
  description: '',
  workSeconds: 60,
  silenceSeconds: 5,
  table: 'heart',
  l2: 0.05,
  maxSteps: 4,
  members: [1, 2, 3],
}

/** Numbers from 0 up to 2^32 that depend on the words given and on nothing else. */
export const draw = (...words: (number | bigint)[]): number => {
  const bytes = keccak256(abiEncode(...words))
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}
const rowsOf = (member: number): TableRow[] =>
  Array.from({ length: 40 }, (_, lineIndex) => ({
    lineIndex,
    inputs: Float64Array.from(inputNames(heartSchema), (_, j) => draw(member, lineIndex, j) % 100),
    label: draw(member, lineIndex, 99) % 2 === 0 ? 0 : 1,
  }))

function memoryDisk(): Disk {
  const values = new Map<string, string>()
  return {
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
  }
}

type Sent = { from: number; message: Message; atMs: number }
export type Loss = (sent: Sent, to: number, nowMs: number) => boolean

type Member = { owner: ReturnType<typeof createOwner>; inbox: Inbox; outbox: Outbox; ports: Ports }

type Each = (group: MaskedGroup) => void
type GroupOptions = { document?: TabularJob; budget?: Budget; budgetOf?: (member: number) => Budget }

export class MaskedGroup {
  nowMs = 1_700_000_000_000
  readonly startedMs = this.nowMs
  readonly sent: Sent[] = []
  /** Members that went away: they say and hear nothing, and nobody fetches from them. */
  readonly gone = new Set<number>()
  /** Members that said they no longer take part. */
  readonly out = new Set<number>()
  readonly all: number[]
  readonly #isLost: Loss
  readonly #disks: Disk[]
  readonly #stores: BlockStore[]
  readonly #identities: Identity[]
  readonly #members: Member[]
  readonly workers: Hex[]

  readonly document: TabularJob
  readonly #budgetOf: ((member: number) => Budget) | undefined

  /** Whether a block cannot be had from a member at the moment; a test may say so. */
  isApart: (by: number, from: number, nowMs: number) => boolean = () => false

  constructor(isLost: Loss, { document = plainJob, budget, budgetOf = budget && (() => budget) }: GroupOptions = {}) {
    this.#isLost = isLost
    this.document = document
    this.#budgetOf = budgetOf
    this.all = document.members.map((_, i) => i)
    this.#disks = this.all.map(memoryDisk)
    this.#stores = this.all.map(memoryBlockStore)
    this.#identities = this.all.map((i) => {
      const secret = sha256(utf8(`member ${i}`))
      const node = addressOfSecret(secret)
      return { node, secret, key: node, url: `http://127.0.0.1:${4000 + i}`, roles: 33 }
    })
    this.workers = this.#identities.map(({ node }) => node)
    this.#members = this.all.map((i) => this.#boot(i))
  }

  #boot(i: number) {
    const identity = this.#identities[i] as Identity
    const inbox = new Inbox()
    const ports: Ports = {
      clock: { nowMs: () => this.nowMs, sleep: () => Promise.resolve() },
      random: (bytes) => sha256(utf8(`random of ${i}`)).subarray(0, bytes),
      publish: async (bytes) => this.#carry(i, bytes),
      chain: {} as Chain,
      store: this.#stores[i] as BlockStore,
      fetch: (digest) => this.#fetch(i, digest),
      fetchFile: () => Promise.reject(new Error('no file is needed here')),
      disk: this.#disks[i] as Disk,
      log: (_level, event) => void (event === 'no longer part of a private job' && this.out.add(i)),
      signal: new AbortController().signal,
    }
    const hear = (message: Message, atMs: number): void => {
      inbox.add({
        ...message,
        from: identity.key,
        node: identity.node,
        atMs,
        seenMs: atMs,
        id: ZERO,
        bytes: ZERO_BYTES,
      } as Known)
    }
    const budget = this.#budgetOf && this.budgetOf(i)
    return { owner: createOwner(rowsOf(i), budget), inbox, outbox: new Outbox(ports, identity, network, hear), ports }
  }

  budgetOf(i: number) {
    const { node } = this.#identities[i] as Identity
    return createRowBudget(this.#disks[i] as Disk, node, 'heart', this.#budgetOf?.(i) ?? { epsilon: 1, delta: 1e-5 })
  }

  async #fetch(by: number, digest: Hex): Promise<Uint8Array> {
    for (const i of this.all) {
      if (i === by || this.gone.has(i) || this.isApart(by, i, this.nowMs)) continue
      const block = await (this.#stores[i] as BlockStore).get(cidOfDigest(RAW, fromHex(digest)))
      if (block) return block
    }
    throw new Error(`nobody has ${digest}`)
  }

  #carry(from: number, bytes: Uint8Array): void {
    if (this.gone.has(from)) return
    const opened = openMessage(network, bytes, this.nowMs)
    assert.ok(opened.ok)
    const { message } = opened
    const sent = { from, message, atMs: this.nowMs }
    this.sent.push(sent)
    for (const [to, member] of this.#members.entries()) {
      if (to === from || this.gone.has(to) || this.#isLost(sent, to, this.nowMs)) continue
      member.inbox.add({ ...message, node: this.workers[from] as Hex, seenMs: this.nowMs } as Known)
    }
  }

  /** A crash: everything but the disk is gone. */
  restart(i: number): void {
    this.#members[i] = this.#boot(i)
  }

  view(i: number): JobView {
    const { inbox, outbox, ports } = this.#members[i] as Member
    const facts = {
      job: 1,
      builder: ZERO,
      workers: this.workers,
      validators: [],
      witnesses: [],
      expelled: new Set<Hex>(),
      disputes: new Map(),
      demands: new Map(),
      due: [],
      finalAuditRoot: null,
      isOver: false,
    }
    return {
      ports,
      identity: this.#identities[i] as Identity,
      inbox,
      outbox,
      directory: new Directory(),
      jobsDomain: { name: 'Potluck Jobs', version: '1', chainId: 1, verifyingContract: `0x${'00'.repeat(20)}` },
      job: 1,
      facts,
      status: { phase: Phase.open, attempt: 1 } as JobStatus,
      terms: {} as JobTerms,
      document: this.document,
      program: tabularProgram(1, this.document, this.workers),
      residencies: new Map(),
      round: 0,
      committee: [],
      assignment: [],
      nowMs: this.nowMs,
      blockNumber: 1n,
      baseDigest: ZERO,
      baseRoot: ZERO,
      baseState: () => Promise.resolve(ZERO_BYTES),
      sources: () => [],
      act: () => Promise.resolve(false),
    }
  }

  async tick(i: number): Promise<void> {
    await this.#members[i]?.owner.tick(this.view(i))
    await this.#members[i]?.outbox.repeat()
  }

  /** Ticks everybody four times a second for so long, or until `isOver`. */
  async pass(forMs: number, { each, isOver }: { each?: Each | undefined; isOver?: () => boolean } = {}): Promise<void> {
    const untilMs = this.nowMs + forMs
    while (this.nowMs < untilMs && !isOver?.()) {
      for (const i of this.all) if (!this.gone.has(i)) await this.tick(i)
      each?.(this)
      this.nowMs += 250
    }
  }

  /** Until everybody that is there has delivered, or says that it takes no part any more; fails after ten minutes of simulated time. */
  async run(each?: Each): Promise<void> {
    const isOver = (): boolean =>
      this.all.every((i) => this.gone.has(i) || this.out.has(i) || this.digestOf(i) !== undefined)
    await this.pass(600_000, { each, isOver })
    assert.ok(isOver(), 'the members never agree')
    assert.ok(this.delivered().length > 0, 'nobody delivered')
  }

  digestOf(i: number): Hex | undefined {
    return loadDeliveries(this.view(i))[0]?.claim.updateDigest
  }

  delivered(): number[] {
    return this.all.filter((i) => this.digestOf(i) !== undefined)
  }

  /** The transcript that a member delivered. */
  async transcriptOf(i: number): Promise<Transcript> {
    const bytes = await (this.#stores[i] as BlockStore).get(cidOfDigest(RAW, fromHex(this.digestOf(i) as Hex)))
    return transcript.parse(decode(bytes as Uint8Array))
  }

  /** Members in each step of the transcript, by place. */
  async groups(): Promise<number[][]> {
    const { steps } = await this.transcriptOf(this.delivered()[0] as number)
    return steps.map(({ group }) => group ?? this.all)
  }

  attemptsAt(step: number): number {
    return Math.max(
      ...this.sent.map(({ message: { kind, body } }) => (kind === 'masked' && body.step === step ? body.attempt : 0)),
    )
  }
}
