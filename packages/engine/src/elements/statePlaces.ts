import { treeDepth } from '@potluck/protocol'
import { tensorDepth } from '../program/stateRoot.ts'

export type StatePlaces = {
  /** Levels of the tree of the deepest part (d). */
  readonly partDepth: number
  /** Levels of the whole state's tree. */
  readonly depth: number
  /** Position of the first element of a part: part·2^(d + 8). */
  readonly start: (part: number) => number
}

/** Where the parts of a state stand in its one tree (D-02), from their sizes in elements. */
export function statePlaces(parts: readonly number[]): StatePlaces {
  const partDepth = Math.max(...parts.map(tensorDepth))
  let width = 256
  for (let level = 0; level < partDepth; level++) width *= 2
  return { partDepth, depth: partDepth + treeDepth(parts.length), start: (part) => part * width }
}
