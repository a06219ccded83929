/** For tests: the members of a private job, each with its own inbox, outbox and disk, over a network that loses what the test says. */
import assert from 'node:assert/strict'
import type { Chain } from '@potluck/chain'
import { heartSchema, inputNames, type TableRow } from '@potluck/learning'
import {
  abiEncode,
  addressOfSecret,
  type Hex,
  keccak256,
  type Message,
  openMessage,
  sha256,
  type TabularJob,
  toHex,
  utf8,
} from '@potluck/protocol'
import { memoryBlockStore } from '@potluck/store'
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

type Sent = { from: number; message: Message }
export type Loss = (sent: Sent, to: number, nowMs: number) => boolean

type Member = { owner: ReturnType<typeof createOwner>; inbox: Inbox; outbox: Outbox; ports: Ports }

export class MaskedGroup {
  nowMs = 1_700_000_000_000
  readonly startedMs = this.nowMs
  readonly sent: Sent[] = []
  readonly #isLost: Loss
  readonly #disks = [0, 1, 2].map(memoryDisk)
  readonly #identities: Identity[] = [0, 1, 2].map((i) => {
    const secret = sha256(utf8(`member ${i}`))
    const node = addressOfSecret(secret)
    return { node, secret, key: node, url: `http://127.0.0.1:${4000 + i}`, roles: 33 }
  })
  readonly #members: Member[]
  readonly workers: Hex[]

  readonly #document: TabularJob
  readonly #budget: Budget | undefined

  constructor(isLost: Loss, { document = plainJob, budget }: { document?: TabularJob; budget?: Budget } = {}) {
    this.#isLost = isLost
    this.#document = document
    this.#budget = budget
    this.workers = this.#identities.map(({ node }) => node)
    this.#members = [0, 1, 2].map((i) => this.#boot(i))
  }

  #boot(i: number) {
    const identity = this.#identities[i] as Identity
    const inbox = new Inbox()
    const ports: Ports = {
      clock: { nowMs: () => this.nowMs, sleep: () => Promise.resolve() },
      random: (bytes) => sha256(utf8(`random of ${i}`)).subarray(0, bytes),
      publish: async (bytes) => this.#carry(i, bytes),
      chain: {} as Chain,
      store: memoryBlockStore(),
      fetch: () => Promise.reject(new Error('no block is needed here')),
      fetchFile: () => Promise.reject(new Error('no file is needed here')),
      disk: this.#disks[i] as Disk,
      log: () => undefined,
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
    const budget = this.#budget && this.budgetOf(i)
    return { owner: createOwner(rowsOf(i), budget), inbox, outbox: new Outbox(ports, identity, network, hear), ports }
  }

  budgetOf(i: number) {
    const { node } = this.#identities[i] as Identity
    return createRowBudget(this.#disks[i] as Disk, node, 'heart', this.#budget ?? { epsilon: 1, delta: 1e-5 })
  }

  #carry(from: number, bytes: Uint8Array): void {
    const opened = openMessage(network, bytes, this.nowMs)
    assert.ok(opened.ok)
    const { message } = opened
    this.sent.push({ from, message })
    for (const [to, member] of this.#members.entries()) {
      if (to === from || this.#isLost({ from, message }, to, this.nowMs)) continue
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
      document: this.#document,
      program: tabularProgram(1, this.#document, this.workers),
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

  /** Ticks everybody four times a second until all have delivered; fails after ten minutes of simulated time. */
  async run(each?: (group: MaskedGroup) => void): Promise<void> {
    while (![0, 1, 2].every((i) => this.digestOf(i) !== undefined)) {
      assert.ok(this.nowMs - this.startedMs < 600_000, 'the members never agree')
      for (const i of [0, 1, 2]) await this.tick(i)
      each?.(this)
      this.nowMs += 250
    }
  }

  digestOf(i: number): Hex | undefined {
    return loadDeliveries(this.view(i))[0]?.claim.updateDigest
  }

  /** What must hold whatever was lost: one result, one vector and one key for each member, step and attempt. */
  check(): void {
    const digests = new Set([0, 1, 2].map((i) => this.digestOf(i)))
    assert.equal(digests.size, 1)
    const answers = new Map<string, string>()
    const vectors = new Map<string, string>()
    const sumAttempts = new Map<number, Set<number>>()
    for (const { from, message } of this.sent) {
      if (message.kind !== 'masked' && message.kind !== 'maskKey') continue
      const { step, attempt } = message.body
      const key = `${message.kind} of ${from}, step ${step}, attempt ${attempt}`
      const said = message.kind === 'masked' ? toHex(message.body.vector) : message.body.publicKey
      assert.equal(answers.get(key) ?? said, said, `${key} changed`)
      answers.set(key, said)
      assert.equal(vectors.get(said) ?? key, key, 'an answer used again in another attempt')
      vectors.set(said, key)
      if (message.kind === 'maskKey') {
        sumAttempts.set(step, (sumAttempts.get(step) ?? new Set()).add(message.body.sumAttempt))
      }
    }
    for (const [step, attempts] of sumAttempts)
      assert.equal(attempts.size, 1, `step ${step} completed by ${[...attempts]}`)
  }

  attemptsAt(step: number): number {
    return Math.max(
      ...this.sent.map(({ message: { kind, body } }) => (kind === 'masked' && body.step === step ? body.attempt : 0)),
    )
  }
}
