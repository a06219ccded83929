/** Plays a game on chain, both sides by one rule: pick the first difference, reveal what oneself holds true. */
import { type Hex, toHex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { ComputedRecord } from '../../../packages/engine/src/elements/ElementRecord.ts'
import {
  evaluateTerm,
  foldTerm,
  laneTerms,
  operandPlaces,
  startOf,
} from '../../../packages/engine/src/elements/evaluateElement.ts'
import { RandomStream } from '../../../packages/engine/src/random/RandomStream.ts'
import { type ExampleJob, STEPS, type Trace } from './exampleJob.ts'
import type { HashTree } from './HashTree.ts'
import type { RefereeWorld } from './refereeWorld.ts'
import { ZERO_HASH } from './world.ts'

export type Side = { account: PrivateKeyAccount; trace: Trace }
export type Played = { winner: 'challenger' | 'champion'; moves: string[]; gas: bigint[] }
type Entry = { value: Hex; proof: Hex[] }
type Sent = { gasUsed: bigint }

const noEntry: Entry = { value: ZERO_HASH, proof: [] }
const hexes = (nodes: readonly Uint8Array[]): Hex[] => nodes.map((node) => toHex(node))
const same = (a: Uint8Array, b: Uint8Array): boolean => toHex(a) === toHex(b)

export const entryOf = (tree: HashTree, level: number, index: number, top?: number): Entry => ({
  value: toHex(tree.node(level, index)),
  proof: hexes(tree.proof(level, index, top)),
})
/** Levels of the first row of a tree. */
export const firstLevels = (depth: number): number => depth % 6 || Math.min(depth, 6)

/** The nodes of a row under `position`, `levels` below it; a state's row is whole, others end where the tree does. */
export function rowOf(tree: HashTree, below: number, levels: number, position: number, isState = false): Hex[] {
  const from = position * 2 ** levels
  const width = isState ? 2 ** levels : Math.min(2 ** levels, tree.width(below) - from)
  return Array.from({ length: width }, (_, i) => toHex(tree.node(below, from + i)))
}

export const bigEndian = (words: readonly number[]): Hex =>
  `0x${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`

/** What a game looks like to whoever has to move. */
type Position = {
  stage: 'trace' | 'tensor' | 'leaf' | 'lanes' | 'sums'
  levels: number
  below: number
  position: number
  leaf: number
  element: number
  lane: number
  scale: number
  first: number
  end: number
  agreed: number
  theirSums: number[]
}

export class Game {
  readonly #world: RefereeWorld
  readonly #job: ExampleJob
  readonly #id: bigint
  readonly #step: number
  readonly #seed: Uint8Array
  readonly #mine: Side
  readonly #theirs: Side
  readonly #inOrder: readonly [challenger: Side, champion: Side]
  readonly #at: Position
  readonly #moves: string[] = []
  readonly #gas: bigint[] = []

  /** From `pickStep` on: the champion has to move. */
  constructor(
    world: RefereeWorld,
    job: ExampleJob,
    game: { id: bigint; step: number; seed: Uint8Array; challenger: Side; champion: Side },
  ) {
    this.#world = world
    this.#job = job
    this.#id = game.id
    this.#step = game.step
    this.#seed = game.seed
    this.#mine = game.champion
    this.#theirs = game.challenger
    this.#inOrder = [game.challenger, game.champion]
    const { depth } = game.challenger.trace.tree
    this.#at = {
      stage: 'trace',
      levels: firstLevels(depth),
      below: depth - firstLevels(depth),
      position: 0,
      leaf: 0,
      element: 0,
      lane: 0,
      scale: 0,
      first: 0,
      end: 0,
      agreed: 0,
      theirSums: [],
    }
  }

  /** Plays until somebody wins or cannot move; then the clock decides. */
  async play(): Promise<Played> {
    let [mover, waiter, isChallenger] = [this.#mine, this.#theirs, false]
    for (;;) {
      const outcome = await this.#move(mover, waiter)
      if (outcome === 'won') return this.#end(isChallenger)
      if (outcome === 'stuck') {
        await this.#world.evm.advance(this.#world.clockSeconds + 1)
        await this.#send('callTime', this.#world.referee.send(waiter.account, 'callTime', [this.#id]))
        return this.#end(!isChallenger)
      }
      ;[mover, waiter, isChallenger] = [waiter, mover, !isChallenger]
    }
  }

  #end(challengerWon: boolean): Played {
    return { winner: challengerWon ? 'challenger' : 'champion', moves: this.#moves, gas: this.#gas }
  }

  async #send(name: string, sent: Promise<Sent>): Promise<void> {
    this.#gas.push((await sent).gasUsed)
    this.#moves.push(name)
  }

  #move(me: Side, they: Side): Promise<'moved' | 'won' | 'stuck'> {
    switch (this.#at.stage) {
      case 'trace':
      case 'tensor':
        return this.#moveInTree(me, they)
      case 'leaf':
        return this.#moveInLeaf(me, they)
      default:
        return this.#moveInSums(me)
    }
  }

  async #moveInTree(me: Side, they: Side): Promise<'moved' | 'won' | 'stuck'> {
    const at = this.#at
    const isTrace = at.stage === 'trace'
    const [mine, theirs] = [me, they].map(({ trace }) => (isTrace ? trace.tree : trace.leaves[at.leaf]?.tree)) as [
      HashTree,
      HashTree,
    ]
    const isState = !isTrace && this.#record.kind === 'after'
    const from = at.position * 2 ** at.levels
    const count = isState ? 2 ** at.levels : rowOf(theirs, at.below, at.levels, at.position).length
    const index = Array.from({ length: count }, (_, i) => i).find(
      (i) => !same(mine.node(at.below, from + i), theirs.node(at.below, from + i)),
    )
    if (index === undefined) return 'stuck'
    const entry = entryOf(theirs, at.below, from + index, at.below + at.levels)
    at.position = from + index
    if (at.below > 0) {
      Object.assign(at, { levels: 6, below: at.below - 6 })
      const row = rowOf(mine, at.below, 6, at.position, isState)
      await this.#send('pickNode', this.#world.referee.send(me.account, 'pickNode', [this.#id, index, entry, row]))
      return 'moved'
    }
    if (isTrace) return this.#takeTraceLeaf(me, they, index, entry)
    const leaf = toHex(me.trace.leaves[at.leaf]?.leaves[at.position] as Uint8Array)
    const args = [this.#id, index, entry, this.#recordBytes, leaf] as const
    await this.#send('pickTensorLeaf', this.#world.referee.send(me.account, 'pickTensorLeaf', args))
    at.stage = 'leaf'
    return 'moved'
  }

  get #records() {
    return this.#step === STEPS ? this.#job.finish : this.#job.step
  }

  get #record() {
    return this.#records[this.#at.leaf] as ExampleJob['step'][number]
  }

  get #recordPlace(): number {
    return 1 + this.#at.leaf + (this.#step === STEPS ? this.#job.step.length : 0)
  }

  get #recordBytes(): Hex {
    return toHex(this.#job.leaves[this.#recordPlace] as Uint8Array)
  }

  async #takeTraceLeaf(me: Side, they: Side, index: number, entry: Entry): Promise<'moved' | 'won' | 'stuck'> {
    const at = this.#at
    at.leaf = at.position
    const recordProof = hexes(this.#job.tree.proof(0, this.#recordPlace))
    const { kind } = this.#record
    const { referee, evm } = this.#world
    if (kind === 'before' || kind === 'fixed' || kind === 'schedule' || kind === 'base') {
      const isSchedule = kind === 'schedule'
      const right = isSchedule ? toHex(this.#job.rateTree.node(0, this.#step)) : ZERO_HASH
      const rightProof = isSchedule ? hexes(this.#job.rateTree.proof(0, this.#step)) : []
      const claim = this.#world.claim()
      const args = [this.#id, index, entry, this.#recordBytes, recordProof, right, rightProof, claim] as const
      const call = referee.call('strikeTraceLeaf', args)
      const refused = await evm
        .raw('eth_call', [{ from: me.account.address, to: referee.address, data: call }, 'latest'])
        .then(
          () => false,
          () => true,
        )
      if (refused) return 'stuck'
      await this.#send('strikeTraceLeaf', referee.send(me.account, 'strikeTraceLeaf', args))
      return 'won'
    }
    const mine = me.trace.leaves[at.leaf]
    const theirs = they.trace.leaves[at.leaf]
    if (!mine || !theirs) return 'stuck'
    const { depth } = mine.tree
    const levels = firstLevels(depth)
    const row = depth === 0 ? [] : rowOf(mine.tree, depth - levels, levels, 0, kind === 'after')
    const leaf = depth === 0 ? toHex(mine.leaves[0] as Uint8Array) : '0x'
    const args = [this.#id, index, entry, this.#recordBytes, recordProof, row, leaf] as const
    await this.#send('pickTraceLeaf', referee.send(me.account, 'pickTraceLeaf', args))
    Object.assign(at, { stage: depth === 0 ? 'leaf' : 'tensor', levels, below: depth - levels, position: 0 })
    return 'moved'
  }

  async #moveInLeaf(me: Side, they: Side): Promise<'moved' | 'won' | 'stuck'> {
    const at = this.#at
    const [mine, theirs] = [me, they].map(({ trace }) => trace.leaves[at.leaf]?.words) as [Uint32Array, Uint32Array]
    const base = 256 * at.position
    const index = Array.from({ length: 256 }, (_, i) => i).find((i) => mine[base + i] !== theirs[base + i])
    if (index === undefined) return 'stuck'
    const theirLeaf = toHex(they.trace.leaves[at.leaf]?.leaves[at.position] as Uint8Array)
    at.element = base + index
    const record = this.#record
    const word = mine[at.element] as number
    if (record.kind !== 'element' || record.reduction === 'none') return this.#prove(me, theirLeaf, index, 0)
    Object.assign(at, { first: 0, end: record.terms, lane: 0, agreed: startOf(record.reduction) })
    let sums: number[]
    if (record.reduction === 'sum') {
      if (record.terms < 2) return this.#prove(me, theirLeaf, index, 0)
      sums = this.#sums(me, record, word)
      at.stage = 'sums'
    } else {
      sums = Array.from({ length: 8 }, (_, lane) =>
        this.#partial(me, record, lane, 0, laneTerms(record.terms, lane), startOf(record.reduction)),
      )
      // A liar has to say something that does not add up to the truth.
      if (word !== this.#honestWord(me, record)) {
        if (record.reduction === 'rowMaximum') sums.fill(word)
        else sums[0] = ((sums[0] as number) ^ 0x00200000) >>> 0
      }
      at.stage = 'lanes'
    }
    at.theirSums = sums
    const args = [this.#id, theirLeaf, index, this.#recordBytes, bigEndian(sums)] as const
    await this.#send('pickElement', this.#world.referee.send(me.account, 'pickElement', args))
    return 'moved'
  }

  async #moveInSums(me: Side): Promise<'moved' | 'won' | 'stuck'> {
    const at = this.#at
    const record = this.#record as ComputedRecord
    const theirs = at.theirSums
    const isLanes = at.stage === 'lanes'
    const stride = isLanes ? 0 : 64 ** at.scale
    const agreed = (index: number) =>
      isLanes ? startOf(record.reduction) : index === 0 ? at.agreed : (theirs[index - 1] as number)
    const span = (index: number): [number, number] =>
      isLanes
        ? [0, laneTerms(record.terms, index)]
        : [at.first + index * stride, Math.min(at.first + (index + 1) * stride, at.end)]
    const truth = (index: number) => {
      const [from, to] = span(index)
      return this.#partial(me, record, isLanes ? index : at.lane, from, to - from, agreed(index))
    }
    const index = theirs.findIndex((word, i) => word !== truth(i))
    // A liar that finds nothing wrong bluffs with the last one.
    const picked = index < 0 ? theirs.length - 1 : index
    const [from, to] = span(picked)
    const theirWords = bigEndian(theirs)
    if (to - from < 2) return this.#prove(me, theirWords, picked, isLanes ? picked : at.lane, from)
    const start = agreed(picked)
    const claimed = index < 0 ? ((theirs[picked] as number) ^ 1) >>> 0 : truth(picked)
    Object.assign(at, { lane: isLanes ? picked : at.lane, first: from, end: to, agreed: start, stage: 'sums' })
    at.theirSums = this.#sums(me, record, claimed)
    const args = [this.#id, theirWords, picked, bigEndian(at.theirSums)] as const
    await this.#send('pickSum', this.#world.referee.send(me.account, 'pickSum', args))
    return 'moved'
  }

  /** Partial sums over the present range; the last is what the side claims. */
  #sums(me: Side, record: ComputedRecord, claimed: number): number[] {
    const at = this.#at
    at.scale = 0
    while (64 ** (at.scale + 1) < at.end - at.first) at.scale++
    const stride = 64 ** at.scale
    const sums: number[] = []
    let sum = at.agreed
    for (let from = at.first; from < at.end; from += stride) {
      sum = this.#partial(me, record, at.lane, from, Math.min(stride, at.end - from), sum)
      sums.push(sum)
    }
    sums[sums.length - 1] = claimed
    return sums
  }

  #partial(me: Side, record: ComputedRecord, lane: number, from: number, count: number, start: number): number {
    let sum = start
    for (let i = from; i < from + count; i++) {
      const k = record.reduction === 'sum' ? i : lane + 8 * i
      sum = foldTerm(record.reduction, sum, evaluateTerm(record, this.#at.element, k, this.#reader(me)))
    }
    return sum
  }

  #honestWord(me: Side, record: ComputedRecord): number {
    const p = Array.from({ length: 8 }, (_, lane) =>
      this.#partial(me, record, lane, 0, laneTerms(record.terms, lane), startOf(record.reduction)),
    )
    const fold = (i: number, j: number) => {
      p[i] = foldTerm(record.reduction, p[i] as number, p[j] as number)
    }
    for (const [i, j] of [
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
      [0, 2],
      [1, 3],
      [0, 1],
    ] as const)
      fold(i, j)
    return p[0] as number
  }

  #reader = (me: Side) => (leaf: number, index: number) => me.trace.leaves[leaf]?.words[index] as number

  async #prove(me: Side, theirWords: Hex, index: number, lane: number, from = 0): Promise<'won' | 'stuck'> {
    const record = this.#record
    const k = record.kind === 'element' && record.reduction === 'sum' ? from : lane + 8 * from
    const args = [this.#id, theirWords, index, this.#recordBytes, this.operandsFor(me, k)] as const
    const { referee, evm } = this.#world
    const data = referee.call('prove', args)
    const refused = await evm.raw('eth_call', [{ from: me.account.address, to: referee.address, data }, 'latest']).then(
      () => false,
      () => true,
    )
    if (refused) return 'stuck'
    await this.#send('prove', referee.send(me.account, 'prove', args))
    return 'won'
  }

  /** The leaves that one evaluation reads, each with its path to the deepest frame that holds it. */
  operandsFor(me: Side, k: number) {
    const record = this.#record
    const at = this.#at
    const needed = new Map<string, { leaf: number; part: number }>()
    const need = (leaf: number, index: number) => needed.set(`${leaf}/${index >> 8}`, { leaf, part: index >> 8 })
    if (record.kind === 'element') {
      for (const place of operandPlaces(record, at.element, k, this.#reader(me)))
        if ('leaf' in place) need(place.leaf, place.index)
    } else if (record.kind === 'after') {
      const segment = record.segments.find(({ start, length }) => at.element >= start && at.element < start + length)
      if (segment) need(segment.leaf, segment.offset + at.element - segment.start)
    } else if (record.kind === 'tokens') {
      return [this.#textOperand(record.context, record.length, record.shift)]
    }
    const { depth } = me.trace.tree
    const sides = this.#inOrder
    const frames = 1 + (depth - firstLevels(depth)) / 6
    return [...needed.values()].map(({ leaf, part }) => {
      let frame = frames - 1
      const top = () => (frame === 0 ? depth : 6 * (frames - frame))
      while (frame > 0 && leaf >> top() !== at.leaf >> top()) frame--
      const { tree, leaves } = me.trace.leaves[leaf] as Trace['leaves'][number]
      // Rows are revealed in turns, from the challenger's: the path runs through the tree of whoever revealed the frame.
      const revealer = sides[frame % 2] as Side
      const proof = hexes([...tree.proof(0, part), ...revealer.trace.tree.proof(0, leaf, top())])
      return { traceLeaf: leaf, leaf: part, data: toHex(leaves[part] as Uint8Array), proof }
    })
  }

  #textOperand(T: number, N: number, shift: number) {
    const stream = new RandomStream(this.#seed, 2, this.#step)
    const at = stream.below(Math.floor(this.#at.element / T), N - T) + (this.#at.element % T) + shift
    const part = at >> 10
    const data = toHex(this.#job.text.subarray(1024 * part, 1024 * part + 1024))
    return { traceLeaf: 0, leaf: part, data, proof: hexes(this.#job.textTree.proof(0, part)) }
  }
}

export { noEntry }
