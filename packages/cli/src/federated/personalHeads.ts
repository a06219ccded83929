import { createHash } from 'node:crypto'
import {
  type Engine,
  type Evaluation,
  evaluateModel,
  float32Tensor,
  type Model,
  type TrainingData,
  writeSafetensors,
} from '@potluck/engine'
import {
  type Client,
  type FederatedCheckpoint,
  type FederatedOptions,
  federateToEnd,
  selectRows,
} from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { splitRows } from '../training/splitRows.ts'

/** What heads of their own are worth to the clients, on rows of each that it never trained on. */
export type PersonalFacts = {
  /** Each client with its own head, in the last round; means are weighed by rows. */
  readonly own: Evaluation
  /** The shared part with the mean of the heads: the model that is written. Null under noise, which hides no head: then none is written with it. */
  readonly meanHead: Evaluation | null
  /** One model for all, trained with the same settings on the same rows; null where that would take long. */
  readonly common: Evaluation | null
}

/** The last layer's weights and biases, which stay with each client. Throws BAD_USAGE for a model that is nothing else, or of texts. */
export function headNames({ config, parameters }: Model): string[] {
  const isOfTexts = config.kind === 'llama' || config.kind === 'gpt'
  if (!isOfTexts && parameters.length > 2) return parameters.slice(-2).map(({ name }) => name)
  const why = isOfTexts ? 'a model of texts has no head of its own' : 'the model is one layer: nothing would be shared'
  const message = `--personal-head: ${why}; take a cnn, or an mlp with hidden layers by --model FILE`
  throw new PotluckError('BAD_USAGE', message, { kind: config.kind })
}

/** Sets a part of each client's own rows aside for its own head to be judged on. A client with one row has none to spare. */
export function withOwnValidation(clients: readonly Client[], share: number, seed: Uint8Array): Client[] {
  return clients.map((client, c) => {
    const { data } = client
    if (data.kind !== 'rows' || data.targets.length < 2) return client
    const own = createHash('sha256').update(seed).update(`own validation rows ${c}`).digest()
    const { train, valid } = splitRows(data.targets.length, share, new Uint8Array(own))
    const rows = (which: Int32Array): TrainingData => selectRows(data, Uint32Array.from(which), data.targets.length)
    return { ...client, data: rows(train), validation: rows(valid) }
  })
}

/** The shared part with the mean of the clients' heads weighed by rows, summed in f64 in order of clients. */
export function withMeanHead(
  model: Model,
  names: readonly string[],
  state: FederatedCheckpoint,
  clients: readonly Client[],
): Float32Array {
  const parameters = state.parameters.slice()
  const heads = [...(state.personal ?? [])].sort(([a], [b]) => a - b)
  if (heads.length === 0) return parameters
  const rowsOf = (client: number): number => {
    const data = clients[client]?.data
    return data?.kind === 'rows' ? data.targets.length : 0
  }
  const all = heads.reduce((sum, [client]) => sum + rowsOf(client), 0)
  for (const { name, offset, size } of model.parameters) {
    if (!names.includes(name)) continue
    for (let i = offset; i < offset + size; i++) {
      parameters[i] = heads.reduce((sum, [client, own]) => sum + own[i]! * (rowsOf(client) / all), 0)
    }
  }
  return parameters
}

/** The clients' heads as a safetensors file: `ID/NAME` for each parameter of each client that took part. */
export function headsFile(
  model: Model,
  names: readonly string[],
  { personal = new Map() }: FederatedCheckpoint,
  clients: readonly Client[],
): Uint8Array {
  const layers = model.parameters.filter(({ name }) => names.includes(name))
  const tensors = clients.flatMap(({ id }, c) => {
    const own = personal.get(c)
    if (!own) return []
    return layers.map(({ name, shape, offset, size }) =>
      float32Tensor(`${id}/${name}`, shape, own.slice(offset, offset + size)),
    )
  })
  return writeSafetensors(tensors, { format: 'potluck-heads-1' })
}

/** A second federation comes on top of what was asked for: up to about ten seconds of one core. */
const MOST_FLOPS = 2e11

/**
 * Measures the last round's own heads beside their mean and, where it is cheap and no noise is spent, a model that is common as a whole.
 *
 * @param parameters with the mean of the heads
 * @param flops of the whole run
 */
export async function comparePersonal(
  engine: Engine,
  model: Model,
  options: FederatedOptions,
  { own, parameters, flops }: { readonly own: Evaluation; readonly parameters: Float32Array; readonly flops: number },
): Promise<PersonalFacts> {
  const rows = joined(options.clients)
  const on = (of: Float32Array): Promise<Evaluation> => evaluateModel(engine, model, { parameters: of }, rows)
  const isCheap = flops <= MOST_FLOPS && options.noise === undefined
  const { personal: _, ...whole } = options
  const common = isCheap ? await federateToEnd(engine, { ...whole, evaluateEvery: options.rounds }) : undefined
  return {
    own,
    meanHead: options.noise ? null : await on(parameters),
    common: common ? await on(common.parameters) : null,
  }
}

/** All clients' own validation rows, in order of clients. */
function joined(clients: readonly Client[]): TrainingData {
  const parts = clients.flatMap(({ validation }) => (validation?.kind === 'rows' ? [validation] : []))
  const inputs = new Float32Array(parts.reduce((sum, part) => sum + part.inputs.length, 0))
  const count = parts.reduce((sum, part) => sum + part.targets.length, 0)
  const targets = parts[0]?.targets instanceof Float32Array ? new Float32Array(count) : new Int32Array(count)
  let [at, row] = [0, 0]
  for (const part of parts) {
    inputs.set(part.inputs, at)
    targets.set(part.targets, row)
    at += part.inputs.length
    row += part.targets.length
  }
  return { kind: 'rows', inputs, targets }
}
