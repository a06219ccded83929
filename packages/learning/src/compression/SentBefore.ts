import { CHUNK } from './Compression.ts'

/** How far back "near" reaches, and up to what it counts. */
const NEAR = 64
export const MOST_NEAR = 4
/** Rows of fewer columns tell no more than what lies near. */
const SHORTEST = 8
/** Distances of earlier chunks count for so much less with each chunk. */
const FADING = 0.75
/** A longer row must explain so much more: every multiple of the true length is seen almost as often. */
const CLEARLY = 1.1
/** A sent position is paired with so many before it: with 64 of a chunk, all that lie within a chunk's length. */
const MOST_PAIRS = 64
/** Age by the rows since a column last sent: 1, 2, 3–4, 5–8, more or never. */
const ages = Uint8Array.of(0, 0, 1, 2, 2, 3, 3, 3, 3)
export const NEVER = 4
const LONG_AGO = -1_000_000_000

/**
 * What was sent before a position: near it, and in its column of the matrix it may belong to. How long a row is, nobody says: it is the
 * distance at which sent positions most often follow one another, looked at anew after every chunk, so that it follows the layers.
 * Writer and reader see the same positions and come to the same answer.
 *
 * Order: distances in f64, in the order of positions. Cost: at most 64 counts for each sent position.
 */
export class SentBefore {
  readonly #distances = new Float64Array(CHUNK)
  /** For each column the row that last sent, and the state it left: 1 + 2·sign + level. */
  readonly #lastRows = new Int32Array(CHUNK)
  readonly #states = new Uint8Array(CHUNK)
  #sent = new Int32Array(CHUNK)
  #sentBefore = new Int32Array(CHUNK)
  #count = 0
  #countBefore = 0
  #firstNear = 0
  #rowLength = 0
  #row = 0
  #column = 0

  /** Goes to the first position of a chunk. */
  startChunk(start: number): void {
    // A row length of 0 means that none is known: all is one row.
    this.#column = this.#rowLength === 0 ? 0 : start % this.#rowLength
    this.#row = this.#rowLength === 0 ? 0 : (start - this.#column) / this.#rowLength
  }

  /** Sent among the 64 positions before i, at most MOST_NEAR. */
  near(i: number): number {
    while (this.#firstNear < this.#count && this.#sent[this.#firstNear]! < i - NEAR) this.#firstNear++
    const near = this.#count - this.#firstNear
    return near < MOST_NEAR ? near : MOST_NEAR
  }

  age(): number {
    if (this.#rowLength === 0) return NEVER
    const rows = this.#row - this.#lastRows[this.#column]!
    return rows < ages.length ? ages[rows]! : NEVER
  }

  /** What the column last sent: 0 for nothing yet, else 1 + 2·sign + level. */
  state(): number {
    return this.#rowLength === 0 ? 0 : this.#states[this.#column]!
  }

  /** Position i of the chunk is sent. */
  send(i: number, state: number): void {
    this.#sent[this.#count++] = i
    if (this.#rowLength === 0) return
    this.#lastRows[this.#column] = this.#row
    this.#states[this.#column] = state
  }

  /** Goes to the next position. */
  advance(): void {
    if (++this.#column === this.#rowLength) {
      this.#column = 0
      this.#row++
    }
  }

  endChunk(): void {
    const [distances, sent, before] = [this.#distances, this.#sent, this.#sentBefore]
    for (let i = 0; i < CHUNK; i++) distances[i]! *= FADING
    for (let a = 0; a < this.#count; a++) {
      for (let b = a - 1; b >= 0 && a - b <= MOST_PAIRS; b--) distances[sent[a]! - sent[b]!]!++
      for (let b = this.#countBefore - 1; b >= 0 && a + this.#countBefore - b <= MOST_PAIRS; b--) {
        const distance = sent[a]! + CHUNK - before[b]!
        if (distance >= CHUNK) break
        distances[distance]!++
      }
    }
    let [most, rowLength] = [0, 0]
    for (let i = SHORTEST; i < CHUNK; i++) {
      if (distances[i]! > most) {
        most = distances[i]! * CLEARLY
        rowLength = i
      }
    }
    if (rowLength !== this.#rowLength) {
      this.#rowLength = rowLength
      this.#lastRows.fill(LONG_AGO)
      this.#states.fill(0)
    }
    this.#sent = before
    this.#sentBefore = sent
    this.#countBefore = this.#count
    this.#count = 0
    this.#firstNear = 0
  }
}
