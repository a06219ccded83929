import type { Hex } from '@potluck/protocol'

/** What a game waits for, in the order of the contract's `Stage`. */
export const stages = ['none', 'states', 'trace', 'tensor', 'leaf', 'lanes', 'sums', 'over'] as const
export type Stage = (typeof stages)[number]

/** One event `Moved` of a game. */
export type MoveEvent = {
  readonly move: string
  readonly byChallenger: boolean
  readonly stage: Stage
  /** Place of the picked entry in its row of its tree; number of the element; number of the first term of the sums. */
  readonly position: number
  /** Levels of the tree below the revealed row. */
  readonly below: number
  readonly picked: Hex
  /** What the mover revealed, as it was hashed. */
  readonly revealed: Uint8Array
  readonly challengerLeft: number
  readonly championLeft: number
}

/** A row of a tree that one side revealed. */
export type RevealedRow = {
  readonly nodes: readonly Uint8Array[]
  /** Place of the entry above it in that entry's own row. */
  readonly position: number
  /** Levels of the tree below it. */
  readonly below: number
}

/** A game as a player sees it: all of it comes from the chain. */
export type Position = {
  readonly game: number
  readonly challenge: number
  readonly segment: number
  readonly champion: Hex
  readonly stage: Stage
  readonly challengerMoves: boolean
  /** The picked step; the number of steps for the finish. */
  readonly step: number
  /** State roots as the champion gave them, the state before the range first. */
  readonly states: readonly Uint8Array[]
  /** Rows of the trace, in order: each was revealed and then picked from, but perhaps the last. */
  readonly frames: readonly RevealedRow[]
  readonly traceLeaf: number
  /** The latest row of the disputed tensor. */
  readonly row: RevealedRow | null
  /** The leaf or the sums revealed last. */
  readonly words: Uint8Array
  /** Number of the revealed 1 KiB leaf in its tensor. */
  readonly leaf: number
  readonly element: number
  readonly lane: number
  readonly first: number
  readonly end: number
  /** One partial after every so many terms. */
  readonly every: number
  readonly agreed: number
}

/** What the contract's view says of a game; see `IRefereeTypes.Game`. */
export type GameFacts = Pick<
  Position,
  'game' | 'challenge' | 'segment' | 'champion' | 'stage' | 'challengerMoves' | 'step' | 'traceLeaf' | 'element'
> &
  Pick<Position, 'lane' | 'first' | 'end' | 'agreed'> & {
    readonly scale: number
    readonly start: Uint8Array
    readonly movedAt: number
    readonly challengerLeft: number
    readonly championLeft: number
  }

/** The position after the moves of a game, from the contract's view of it and its events in order. */
export function positionOf(facts: GameFacts, moves: readonly MoveEvent[]): Position {
  let states: readonly Uint8Array[] = []
  const frames: RevealedRow[] = []
  let row: RevealedRow | null = null
  let words: Uint8Array = new Uint8Array(0)
  let leaf = 0
  let before: Stage = 'none'
  for (const { move, stage, position, below, revealed } of moves) {
    // The champion reveals the states after each step; the state before the range is proven apart.
    if (move === 'StandUp') states = [facts.start, ...nodesOf(revealed)]
    else if (stage === 'trace')
      frames.push({ nodes: nodesOf(revealed), position: move === 'PickStep' ? 0 : position, below })
    else if (stage === 'tensor') row = { nodes: nodesOf(revealed), position: before === 'trace' ? 0 : position, below }
    else {
      if (stage === 'leaf') leaf = before === 'trace' ? 0 : position
      words = revealed
    }
    before = stage
  }
  const { scale, start: _start, movedAt: _at, challengerLeft: _c, championLeft: _d, ...same } = facts
  return { ...same, states, frames, row, words, leaf, every: 64 ** scale }
}

function nodesOf(revealed: Uint8Array): Uint8Array[] {
  return Array.from({ length: revealed.length / 32 }, (_, i) => revealed.subarray(32 * i, 32 * (i + 1)))
}
