import type { RoundTimes } from '@potluck/learning'

/** What happened in a run, seen from outside: no node reads it. */
export class Ledger {
  /** Deliveries of which a worker held enough receipts, by id. */
  readonly accepted = new Map<string, { readonly worker: number; readonly round: number }>()
  /** What each node computed or fetched as the model after a round. */
  readonly roots = new Map<number, Map<number, string>>()
  /** What each keeper computed as the mean of its cluster, by `round/cluster`. */
  readonly means = new Map<string, Map<number, string>>()
  readonly refused = new Map<string, number>()
  /** Times of each worker in each round: the last delivery counts. */
  readonly times = new Map<number, Map<number, RoundTimes>>()
  readonly lines: { readonly atMs: number; readonly text: string }[] = []
  readonly broken: string[] = []
  stepsComputed = 0
  /** Of those, what crashes cut off in the middle of a piece. */
  stepsCut = 0
  trainedMs = 0
  /** Time in which workers were up. */
  upMs = 0
  crashes = 0
  joins = 0
  leaves = 0
  spoiltChunks = 0
  lies = 0
  #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  tell(text: string): void {
    this.lines.push({ atMs: this.#nowMs(), text })
  }

  refuse(why: string): void {
    // Hashes and numbers would make a kind of its own of every case.
    const kind = why
      .replace(/\b[0-9a-f]{16,}\b/g, '…')
      .replace(/\d+/g, 'n')
      .slice(0, 120)
    this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1)
  }

  noteRoot(round: number, node: number, root: string): void {
    const known = this.roots.get(round) ?? new Map<number, string>()
    known.set(node, root)
    this.roots.set(round, known)
  }

  noteMean(round: number, cluster: number, node: number, id: string): void {
    const key = `${round}/${cluster}`
    const known = this.means.get(key) ?? new Map<number, string>()
    known.set(node, id)
    this.means.set(key, known)
  }

  noteTimes(round: number, worker: number, times: RoundTimes): void {
    const known = this.times.get(round) ?? new Map<number, RoundTimes>()
    known.set(worker, times)
    this.times.set(round, known)
  }
}
