import {
  type Engine,
  type Evaluation,
  type Evaluator,
  type Model,
  type Parameter,
  prepareEvaluation,
  sizeOfLayout,
} from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { Client } from './FederatedOptions.ts'

type Span = { readonly from: number; readonly to: number }

/**
 * The parameters that stay with each client, for data that differ by site (FedPer, arXiv:1912.00818): they are trained with the
 * others, never sent, and kept from round to round. What is sent is shorter by them; in what is aggregated their places are 0.
 */
export class PersonalPart {
  /** Parameters that are shared. */
  readonly shared: number
  readonly #spans: readonly Span[]
  readonly #own: Map<number, Float32Array>

  /**
   * @param names of parameters, as in the model's layout; none is a model that is shared as a whole
   * @throws PotluckError BAD_FEDERATION for a name the model does not have, or when nothing would be shared
   */
  constructor(model: Model, names: readonly string[], from?: ReadonlyMap<number, Float32Array>) {
    const known = model.parameters.map(({ name }) => name)
    const missing = names.find((name) => !known.includes(name))
    if (missing !== undefined || (names.length > 0 && known.every((name) => names.includes(name)))) {
      throw new PotluckError(
        'BAD_FEDERATION',
        missing === undefined
          ? 'personal must leave something to share: name fewer parameters'
          : `personal must be names of parameters, ${known.join(', ')}; got ${missing}`,
        { field: 'personal' },
      )
    }
    this.#spans = spansOf(model.parameters, (name) => !names.includes(name))
    this.shared = this.#spans.reduce((total, { from, to }) => total + to - from, 0)
    this.#own = new Map(from)
  }

  /** The shared parameters of `base` and the client's own of the rest. */
  baseFor(client: number, base: Float32Array): Float32Array {
    const own = this.#own.get(client)
    if (!own) return base
    const mixed = own.slice()
    for (const { from, to } of this.#spans) mixed.set(base.subarray(from, to), from)
    return mixed
  }

  /** Keeps the client's own parameters as it trained them. */
  keep(client: number, base: Float32Array, update: Float32Array): void {
    if (this.shared === base.length) return
    this.#own.set(
      client,
      base.map((before, i) => before - update[i]!),
    )
  }

  /** What of an update is sent. */
  cut(update: Float32Array): Float32Array {
    if (this.shared === update.length) return update
    const sent = new Float32Array(this.shared)
    let at = 0
    for (const { from, to } of this.#spans) {
      sent.set(update.subarray(from, to), at)
      at += to - from
    }
    return sent
  }

  /** An update as sent, with zeros in the places of what is personal. */
  widen(sent: Float32Array, parameters: number): Float32Array {
    if (sent.length === parameters) return sent
    const update = new Float32Array(parameters)
    let at = 0
    for (const { from, to } of this.#spans) {
      update.set(sent.subarray(at, at + to - from), from)
      at += to - from
    }
    return update
  }

  /** Each client's whole parameters when it last trained, by client number; empty where all is shared. */
  state(): ReadonlyMap<number, Float32Array> {
    return new Map(this.#own)
  }
}

/** Neighbouring parameters for which `isWanted` holds, as stretches of the flat array. */
function spansOf(layout: readonly Parameter[], isWanted: (name: string) => boolean): Span[] {
  const spans: { from: number; to: number }[] = []
  for (const parameter of layout) {
    if (!isWanted(parameter.name)) continue
    const { offset } = parameter
    const last = spans.at(-1)
    if (last?.to === offset) last.to += sizeOfLayout([parameter])
    else spans.push({ from: offset, to: offset + sizeOfLayout([parameter]) })
  }
  return spans
}

/**
 * Evaluates each client on its own validation rows with its own part of the model; null where nobody has any.
 *
 * Means are weighed by rows, in order of clients, in f64.
 */
export async function personalEvaluator(
  engine: Engine,
  model: Model,
  clients: readonly Client[],
  frozen: Float32Array | undefined,
): Promise<((base: Float32Array, part: PersonalPart) => Promise<Evaluation>) | null> {
  const evaluators: (readonly [client: number, evaluate: Evaluator])[] = []
  for (const [client, { validation }] of clients.entries()) {
    if (validation) evaluators.push([client, await prepareEvaluation(engine, model, validation, frozen)])
  }
  if (evaluators.length === 0) return null
  return async (base, part) => {
    let [n, loss, right] = [0, 0, 0]
    let hasAccuracy = true
    for (const [client, evaluate] of evaluators) {
      const own = await evaluate(part.baseFor(client, base))
      n += own.n
      loss += own.loss * own.n
      right += (own.accuracy ?? 0) * own.n
      hasAccuracy &&= own.accuracy !== null
    }
    return { loss: loss / n, accuracy: hasAccuracy ? right / n : null, n }
  }
}
