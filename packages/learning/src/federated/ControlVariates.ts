/** Added to every squared size, in parts of their mean: no entry is scaled by more than √11. */
const FLOOR = 0.1

/**
 * SCAFFOLD's memory (arXiv:1910.06378, option II), made of what everybody can see: c, the direction of all clients, and c_i, each
 * client's own. With u the update as receivers decode it, a the rule's aggregate of m members, S = H·rate, and a share s:
 *
 *   correction of client i = c − c_i      c_i' = c_i + s·(u/S − c)      c' = c + s·m/clients·(a/S − c)
 *
 * The paper's is s = 1 with the plain mean for a. A small s averages over rounds: what 25 steps on small batches say of a client is
 * mostly noise, and of a sparse update most entries are still to come. Nothing is sent beside the update, and c is as robust as the
 * rule.
 */
export class ControlVariates {
  readonly #clients: number
  readonly #share: number
  readonly #length: number
  #common: Float32Array
  readonly #own: Map<number, Float32Array>

  /**
   * @param parameters how many the model has
   * @param length S: how far a gradient of 1 moves a parameter in a round
   */
  constructor(
    parameters: number,
    { clients, share, length }: { readonly clients: number; readonly share: number; readonly length: number },
    from?: { readonly control?: Float32Array; readonly controls: ReadonlyMap<number, Float32Array> },
  ) {
    this.#clients = clients
    this.#share = share
    this.#length = length
    this.#common = from?.control?.slice() ?? new Float32Array(parameters)
    this.#own = new Map(from?.controls)
  }

  correctionFor(client: number): Float32Array {
    const own = this.#own.get(client)
    return own ? this.#common.map((c, i) => c - own[i]!) : this.#common.slice()
  }

  /** Takes note of a round: what each of its members sent, in their order, and what the rule made of it. */
  learn(members: readonly number[], updates: readonly Float32Array[], aggregate: Float32Array): void {
    const common = this.#common
    const towards = (before: Float32Array, update: Float32Array, share: number): Float32Array =>
      before.map((c, i) => c + share * (update[i]! / this.#length - common[i]!))
    members.forEach((client, at) => {
      const own = this.#own.get(client) ?? new Float32Array(common.length)
      this.#own.set(client, towards(own, updates[at]!, this.#share))
    })
    this.#common = towards(common, aggregate, (this.#share * members.length) / this.#clients)
  }

  /**
   * The aggregate with each entry divided by the size that the clients' directions have there, relative to all entries: an entry in
   * which all of them are small moves further, by 3.3 times at most.
   *
   *   v_k = Σ over clients c_ik²      v = mean of v_k over k      scaled_k = a_k·√(1.1·v / (v_k + 0.1·v))
   */
  scaled(aggregate: Float32Array): Float32Array {
    const size = new Float64Array(aggregate.length)
    // By client number: a checkpoint need not list them as they came, and the order of a sum decides its last bit.
    for (let client = 0; client < this.#clients; client++) {
      this.#own.get(client)?.forEach((c, i) => {
        size[i] = size[i]! + c * c
      })
    }
    const mean = size.reduce((sum, v) => sum + v, 0) / size.length
    if (!(mean > 0)) return aggregate
    return aggregate.map((a, i) => a * Math.sqrt(((1 + FLOOR) * mean) / (size[i]! + FLOOR * mean)))
  }

  state(): { control: Float32Array; controls: ReadonlyMap<number, Float32Array> } {
    return { control: this.#common.slice(), controls: new Map(this.#own) }
  }
}
