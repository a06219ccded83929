/**
 * SCAFFOLD's memory (arXiv:1910.06378, option II): c, the mean gradient direction of all clients, and each client's own c_i.
 *
 *   correction of client i = c − c_i      c_i' = c_i − c + update_i/(H·rate)      c' = c + (Σ over members (c_i' − c_i))/clients
 */
export class ControlVariates {
  readonly #clients: number
  #common: Float32Array
  readonly #own: Map<number, Float32Array>
  #change: Float32Array

  constructor(
    parameters: number,
    clients: number,
    from?: { readonly control?: Float32Array; readonly controls: ReadonlyMap<number, Float32Array> },
  ) {
    this.#clients = clients
    this.#common = from?.control?.slice() ?? new Float32Array(parameters)
    this.#own = new Map(from?.controls)
    this.#change = new Float32Array(parameters)
  }

  correctionFor(client: number): Float32Array {
    const own = this.#own.get(client)
    return own ? this.#common.map((c, i) => c - own[i]!) : this.#common.slice()
  }

  /** Takes note of a member's update after `steps` steps at `rate`; the common variate stays until `finishRound`. */
  add(client: number, update: Float32Array, steps: number, rate: number): void {
    const own = this.#own.get(client) ?? new Float32Array(update.length)
    const divisor = Math.fround(steps * Math.fround(rate))
    const next = own.map((c, i) => c - this.#common[i]! + update[i]! / divisor)
    this.#change = this.#change.map((sum, i) => sum + (next[i]! - own[i]!))
    this.#own.set(client, next)
  }

  /** Moves the common variate. Returns the bytes that one member sends, and receives, beside its update. */
  finishRound(): number {
    this.#common = this.#common.map((c, i) => c + this.#change[i]! / this.#clients)
    this.#change = new Float32Array(this.#common.length)
    return 4 * this.#common.length
  }

  state(): { control: Float32Array; controls: ReadonlyMap<number, Float32Array> } {
    return { control: this.#common.slice(), controls: new Map(this.#own) }
  }
}
