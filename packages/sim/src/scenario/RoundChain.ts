import { adaptiveDeadlineMs, assignWork } from '@potluck/learning'
import type { Draws } from '../Draws.ts'
import type { Life, Scheduler } from '../Scheduler.ts'
import { Changes } from './Changes.ts'
import type { Clusters } from './Clusters.ts'
import { DeliveryOrder, type Word } from './DeliveryOrder.ts'
import type { Process, Wait } from './Process.ts'
import type { Scenario } from './Scenario.ts'

/** Pieces `from` to `count` − 1 of a share, and who works on them. A later task takes its pieces from an earlier one. */
export type Task = {
  readonly round: number
  readonly share: number
  readonly worker: number
  readonly from: number
  readonly count: number
  readonly givenMs: number
  /** Ids of the share's pieces before `from`. */
  readonly trail: readonly string[]
}

/** A delivery that counts, and the piece of work that it is: `round/share/piece`. */
export type SetEntry = { readonly id: string; readonly key: string }

export type Round = {
  /** From 1. */
  readonly number: number
  readonly baseRoot: string
  readonly previousRoot: string | undefined
  readonly openedMs: number
  deadlineMs: number
  readonly tasks: Task[]
  /** Pieces of all shares together, and of those of each cluster. */
  readonly expected: number
  readonly expectedOf: readonly number[]
  /** Of each cluster the deliveries that make the next model, by ascending id; each fixed once. */
  readonly sets: (readonly SetEntry[] | undefined)[]
  /** All of them, once the last one is fixed. */
  set: readonly SetEntry[] | undefined
  /** Of each cluster with such deliveries their mean; none without `aggregate: regional`. */
  readonly means: (PostedMean | undefined)[]
  setFixedMs: number
  root: string | undefined
  closedMs: number
}

/** What the keepers of a cluster said about its mean: the hash of its bytes and how many they are. */
export type PostedMean = { readonly id: string; readonly sizeBytes: number }

/** What a worker did in a round, as whoever proposes the set measured it. */
export type Measured = { readonly worker: number; readonly tookMs: number; readonly stepsPerSecond: number }

type Member = { stepsPerSecond: number; missed: number }

/** After so many rounds without a word a worker is given no more work until it joins anew. */
const MOST_MISSED = 2

/**
 * What all agree on: who is in, which model a round starts from, who does what, which deliveries count, what came out. A contract in
 * earnest; here a register in which the first post of each kind stands. It is never down (that is the other simulation's part).
 */
export class RoundChain {
  readonly rounds: Round[] = []
  readonly members = new Map<number, Member>()
  /** Of everything in a fixed set: the round that it went into, by id; its id, by key. */
  readonly included = new Map<string, number>()
  readonly idOf = new Map<string, string>()
  /** Without rounds: which deliveries make which model. */
  readonly order: DeliveryOrder | undefined
  isDone = false
  /** Simulated time of the last thing that brought the run on. */
  progressMs = 0
  #scheduler: Scheduler
  #scenario: Scenario
  #draws: Draws
  #changes: Changes
  #life: Life = { isAlive: true }
  #clusters: Clusters
  #onOpen: (round: Round) => void

  constructor(
    scheduler: Scheduler,
    draws: Draws,
    scenario: Scenario,
    clusters: Clusters,
    onOpen: (round: Round) => void,
  ) {
    this.#scheduler = scheduler
    this.#scenario = scenario
    this.#draws = draws
    this.#clusters = clusters
    this.#onOpen = onOpen
    const { buffered, rounds, keepers } = scenario
    if (buffered) this.order = new DeliveryOrder(buffered, rounds, keepers)
    this.#changes = new Changes(scheduler, () => draws.between(5, 50))
  }

  get current(): Round | undefined {
    return this.rounds.at(-1)
  }

  roundAt(number: number): Round | undefined {
    return this.rounds[number - 1]
  }

  noteProgress(): void {
    this.progressMs = this.#scheduler.nowMs
  }

  /** Sends a transaction and waits for its block. It is included even when its sender dies in between. */
  post(process: Process, what: string, apply: () => void): Promise<void> {
    return process.wait(what, (resolve) => {
      const { blockMs } = this.#scenario
      this.#scheduler.after(this.#draws.between(blockMs >> 1, blockMs + (blockMs >> 1)), this.#life, () => {
        apply()
        this.#changes.notify()
        this.#scheduler.after(this.#draws.between(5, 50), process.life, () => resolve(undefined as never))
      })
    })
  }

  watch<T>(process: Process, what: Wait['what'], look: () => T | undefined, untilMs?: number): Promise<T | undefined> {
    return this.#changes.until(process, what, look, untilMs)
  }

  join(worker: number, stepsPerSecond: number): void {
    const known = this.members.get(worker)
    this.members.set(worker, { stepsPerSecond: known?.stepsPerSecond ?? stepsPerSecond, missed: 0 })
    this.noteProgress()
  }

  /** Opens the first round once this many have joined. */
  openFirst(baseRoot: string): void {
    if (this.rounds.length === 0) this.#open(baseRoot, undefined, this.#scenario.deadline.mostMs)
  }

  /** Who is to work on a piece at the moment. */
  workerOf(round: Round, share: number, piece: number): number | undefined {
    return round.tasks.findLast((task) => task.share === share && task.from <= piece && piece < task.count)?.worker
  }

  /** Gives the rest of shares to others; what somebody else has given away before stays as it is (L-69). */
  reassign(round: Round, tasks: readonly Task[], deadlineMs: number): void {
    const open = tasks.filter(({ share }) => !this.setOf(round, share))
    if (open.length === 0) return
    for (const task of open) {
      const before = round.tasks.findLast((one) => one.share === task.share)
      if (before && before.givenMs < task.givenMs && before.worker !== task.worker) round.tasks.push(task)
    }
    round.deadlineMs = Math.max(round.deadlineMs, deadlineMs)
  }

  /** The set that a share of this number, or a keeper's own cluster, goes into; undefined before it is fixed. */
  setOf(round: Round, node: number): readonly SetEntry[] | undefined {
    return round.sets[this.#clusters.clusterOf(node) ?? 0]
  }

  /** The first set posted for a cluster stands. */
  fixSet(round: Round, cluster: number, set: readonly SetEntry[], measured: readonly Measured[]): void {
    if (round.sets[cluster]) return
    round.sets[cluster] = set
    for (const { id, key } of set) {
      this.included.set(id, round.number)
      this.idOf.set(key, id)
    }
    const seen = new Map(measured.map((one) => [one.worker, one]))
    const tasks = round.tasks.filter(({ share }) => this.#clusters.clusterOf(share) === cluster)
    const workers = new Set(tasks.map((task) => task.worker))
    for (const worker of workers) {
      const member = this.members.get(worker)
      const one = seen.get(worker)
      if (!member) continue
      member.missed = one ? 0 : member.missed + 1
      if (one) member.stepsPerSecond = one.stepsPerSecond
    }
    this.#times.push(...measured.map((one) => one.tookMs))
    this.#missing += Math.max(0, workers.size - seen.size)
    this.noteProgress()
    if (round.sets.includes(undefined)) return
    round.set = round.sets.flatMap((one) => one ?? []).sort((a, b) => (a.id < b.id ? -1 : 1))
    round.setFixedMs = this.#scheduler.nowMs
  }
  #times: number[] = []
  #missing = 0

  /** A keeper's word on deliveries; enough of them give a delivery its place (L-72). */
  attest(keeper: number, words: readonly Word[]): void {
    if (this.order?.attest(keeper, words)) this.noteProgress()
    this.#takeStep()
  }

  /** What the order has for the model that is being made is its set. */
  #takeStep(): void {
    const { current } = this
    const step = current && this.order?.stepOf(current.number)
    if (current && step) this.fixSet(current, 0, step, [])
  }

  /** The first mean posted for a cluster stands. */
  fixMean(round: Round, cluster: number, mean: PostedMean): void {
    if (round.means[cluster]) return
    round.means[cluster] = mean
    this.noteProgress()
  }

  /** The first root posted ends the round and opens the next. */
  finalise(round: Round, root: string): void {
    if (round.root !== undefined) return
    round.root = root
    round.closedMs = this.#scheduler.nowMs
    this.noteProgress()
    if (round.number >= this.#scenario.rounds) this.isDone = true
    else {
      const lastsMs = adaptiveDeadlineMs(this.#times, this.#missing, this.#scenario.deadline)
      this.#times = []
      this.#missing = 0
      this.#open(root, round.baseRoot, lastsMs)
    }
  }

  #open(baseRoot: string, previousRoot: string | undefined, lastsMs: number): void {
    const { pieces, assign, buffered } = this.#scenario
    const openedMs = this.#scheduler.nowMs
    const number = this.rounds.length + 1
    // Without rounds nobody is given work: each does its own share over and over.
    const active = (buffered ? [] : [...this.members])
      .filter(([, { missed }]) => missed < MOST_MISSED)
      .sort(([a], [b]) => a - b)
    const speeds = active.map(([worker, { stepsPerSecond }]) => ({ worker: String(worker), stepsPerSecond }))
    const counts =
      assign === 'speed' && active.length > 0
        ? assignWork(speeds, pieces * active.length).map(({ quarters }) => quarters)
        : active.map(() => pieces)
    const tasks = active.map(([worker], i) => ({
      ...{ round: number, share: worker, worker, from: 0, count: counts[i] ?? pieces, givenMs: openedMs, trail: [] },
    }))
    const { count, clusterOf } = this.#clusters
    const sum = (some: readonly Task[]): number => some.reduce((all, task) => all + task.count, 0)
    const none = (): undefined[] => new Array(count).fill(undefined)
    const round: Round = {
      ...{ number, baseRoot, previousRoot, openedMs, deadlineMs: openedMs + lastsMs, tasks },
      expected: buffered?.size ?? sum(tasks),
      expectedOf: none().map((_, cluster) => sum(tasks.filter(({ share }) => clusterOf(share) === cluster))),
      ...{ sets: none(), means: none() },
      ...{ set: undefined, setFixedMs: 0, root: undefined, closedMs: 0 },
    }
    this.rounds.push(round)
    this.#onOpen(round)
    this.#takeStep()
  }
}
