import { ABSENT, hashNode } from '../../../packages/protocol/src/merkle.ts'

const isAbsent = (node: Uint8Array): boolean => node.every((byte) => byte === 0)

/** All rows of a perfect tree of `depth` levels; what is not given is absent. Row 0 is the lowest. */
export class HashTree {
  readonly depth: number
  readonly #rows: Uint8Array[][]

  constructor(nodes: readonly Uint8Array[], depth: number) {
    this.depth = depth
    this.#rows = [[...nodes]]
    for (let level = 1; level <= depth; level++) {
      const below = this.#rows[level - 1] as Uint8Array[]
      this.#rows.push(
        Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
          const [left, right] = [below[2 * i] as Uint8Array, below[2 * i + 1] ?? ABSENT]
          return isAbsent(left) && isAbsent(right) ? ABSENT : hashNode(left, right)
        }),
      )
    }
  }

  get root(): Uint8Array {
    return this.node(this.depth, 0)
  }

  node(level: number, index: number): Uint8Array {
    return this.#rows[level]?.[index] ?? ABSENT
  }

  /** Nodes there are in a row. */
  width(level: number): number {
    return this.#rows[level]?.length ?? 0
  }

  /** Siblings of a node from its row up to, and without, row `top`. */
  proof(level: number, index: number, top = this.depth): Uint8Array[] {
    return Array.from({ length: top - level }, (_, i) => this.node(level + i, (index >> i) ^ 1))
  }
}
