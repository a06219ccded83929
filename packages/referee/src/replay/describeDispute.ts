/** The moves of a dispute as lines for people: who moved, what was conceded, how wide the disagreement still is. */
import { type ComputedRecord, type ExactJob, floatOfWord } from '@potluck/engine'
import { type Hex, toHex } from '@potluck/protocol'
import type { MoveEvent } from '../game/Position.ts'
import { programAt } from '../game/programAt.ts'
import { spacingOf, termsInLane } from '../trace/sums.ts'

/** What gives numbers their names and extents; without it leaves and elements are numbers. */
export type DisputeLabels = Pick<ExactJob, 'steps' | 'step' | 'finish' | 'aggregate'>

type Line = { who: string; what: string }

/**
 * One line for each move, in order.
 *
 * @param moves of one game, as `RefereeChain.movesOf` gives them
 */
export function describeDispute(moves: readonly MoveEvent[], labels?: DisputeLabels): string[] {
  const reader = new DisputeReader(labels)
  return moves.map((move, i) => {
    const { who, what } = reader.read(move)
    return `${String(i + 1).padStart(2)}. ${who.padEnd(10)} ${what}`
  })
}

const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
const range = (from: number, end: number): string =>
  end - from <= 1 ? number(from) : `${number(from)} … ${number(end - 1)}`
const wordOf = (picked: Hex): number => Number.parseInt(picked.slice(2, 10), 16)
const shown = (word: number): string => `${floatOfWord(word)} (0x${word.toString(16).padStart(8, '0')})`

/** Follows a game and keeps what later lines need: the leaf, the element, the terms. */
class DisputeReader {
  readonly #labels: DisputeLabels | undefined
  #stage: MoveEvent['stage'] = 'none'
  #row: { nodes: Hex[]; position: number } = { nodes: [], position: 0 }
  #step = 0
  #leaf = 0
  #terms: { lane: number; first: number; end: number; every: number } | undefined

  constructor(labels: DisputeLabels | undefined) {
    this.#labels = labels
  }

  read(move: MoveEvent): Line {
    const line = { who: move.byChallenger ? 'challenger' : 'champion', what: this.#describe(move) }
    if (move.stage === 'trace') {
      this.#row = { nodes: nodesOf(move.revealed), position: move.move === 'PickStep' ? 0 : move.position }
    }
    this.#stage = move.stage
    return line
  }

  #describe(move: MoveEvent): string {
    const { position, below, revealed } = move
    switch (move.move) {
      case 'StandUp':
        return `stands up for the claim and shows the states after ${number(revealed.length / 32)} step(s)`
      case 'PickStep':
        return this.#describeStep(position)
      case 'PickNode':
        if (this.#stage === 'trace') {
          const width = 2 ** (below + 6)
          return `of the trace picks leaves ${range(position * width, (position + 1) * width)}; all before are agreed`
        }
        return `picks elements ${range(position * 2 ** (below + 14), (position + 1) * 2 ** (below + 14))}`
      case 'PickTraceLeaf':
        this.#leaf = this.#leafOf(move)
        return `picks ${this.#nameOf(this.#leaf)}: everything computed before it is agreed`
      case 'PickTensorLeaf':
        return `picks elements ${range(256 * position, 256 * (position + 1))} and shows its own 1 KiB`
      case 'PickElement':
        return this.#describeElement(move)
      case 'PickSum':
        return this.#describeSum(move)
      case 'Prove':
        return `has the contract do ${this.#evaluation(position)}: it gives ${shown(wordOf(toHex(revealed)))}, the other side said ${shown(wordOf(move.picked))}. It wins`
      case 'StrikeTraceLeaf':
        return `shows that ${this.#nameOf(position)} is not what the job says. It wins`
      case 'StrikeAbsent':
        return 'shows that something stands where the state has no number. It wins'
      default:
        return `${move.move} at ${number(position)}`
    }
  }

  #describeStep(step: number): string {
    const total = this.#labels?.steps
    this.#step = step
    if (step === total) return 'disputes the update made of the last state'
    if (total !== undefined && step > total) return 'disputes how the updates were aggregated'
    return `picks step ${number(step)}${total === undefined ? '' : ` of ${number(total)}`}; the steps before it are agreed; shows its own trace`
  }

  #describeElement({ position, picked, revealed }: MoveEvent): string {
    const record = this.#record()
    const count = revealed.length / 4
    const isSum = record?.reduction === 'sum'
    const whole = record ? ` of ${number(record.terms)} terms` : ''
    this.#terms = record && isSum ? { lane: 0, first: 0, end: record.terms, every: spacingOf(record.terms) } : undefined
    const shows = record && !isSum ? 'eight partial sums' : `${number(count)} partial sums`
    return `picks element ${number(position)}, ${shown(wordOf(picked))}, a sum${whole}, and shows ${shows}`
  }

  #describeSum({ position, picked, revealed }: MoveEvent): string {
    const record = this.#record()
    const list = this.#terms
    const first = position
    if (list) {
      const end = Math.min(first + list.every, list.end)
      this.#terms = { ...list, first, end, every: spacingOf(end - first) }
    } else if (record) {
      // After eight partials: the lane is known to the contract only, all lanes are equally long but for one term.
      const end = termsInLane(record, 0)
      this.#terms = { lane: 0, first, end, every: spacingOf(end) }
    }
    const terms = this.#terms ? range(this.#terms.first, this.#terms.end) : `from ${number(first)} on`
    return `picks the partial sum ${shown(wordOf(picked))}, terms ${terms}, and shows ${number(revealed.length / 4)} within it`
  }

  #evaluation(element: number): string {
    const record = this.#record()
    const name = this.#nameOf(this.#leaf)
    if (!record || record.reduction === 'none') return `element ${number(element)} of ${name}`
    return `one term of element ${number(element)} of ${name}`
  }

  /** What the picked step runs. */
  #traced() {
    return this.#labels && programAt(this.#labels, this.#step).traced
  }

  #record(): ComputedRecord | undefined {
    const record = this.#traced()?.records[this.#leaf]
    return record?.kind === 'element' ? record : undefined
  }

  #nameOf(leaf: number): string {
    const labels = this.#traced()?.labels
    const name = labels?.[leaf]
    return name ? `${name}, trace leaf ${number(leaf)} of ${number(labels?.length ?? 0)}` : `trace leaf ${number(leaf)}`
  }

  /** A tensor of one leaf is opened at once, as leaf 0 of itself: its number is where its root stood in the row. */
  #leafOf({ stage, position, picked }: MoveEvent): number {
    if (stage === 'tensor') return position
    return 64 * this.#row.position + Math.max(0, this.#row.nodes.indexOf(picked))
  }
}

function nodesOf(revealed: Uint8Array): Hex[] {
  return Array.from({ length: revealed.length / 32 }, (_, i) => toHex(revealed.subarray(32 * i, 32 * (i + 1))))
}
