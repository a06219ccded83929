/**
 * Federated training without rounds (FedBuff, arXiv:2106.06639): nobody waits. Each client fetches the newest model when it has
 * delivered; every K-th delivery makes a step, and what was trained from an older model counts for less (L-72).
 *
 * Time is simulated: each client takes a stated, or drawn, duration for a task. The training is real.
 */
import {
  type Engine,
  type Evaluation,
  initialModelParameters,
  modelOf,
  prepareEvaluation,
  RandomStream,
} from '@potluck/engine'
import { outerStep } from '../outer/outerStep.ts'
import { bufferUpdate, emptyBuffer, type UpdateBuffer } from '../rounds/bufferedUpdates.ts'
import {
  type Buffering,
  checkFederated,
  type FederatedCheckpoint,
  type FederatedOptions,
  type FederatedResult,
  type FederatedRound,
} from './FederatedOptions.ts'
import { federatedSeed } from './federatedSeed.ts'
import { localTrainer } from './localTrainer.ts'
import { normOf, receiveEach, sum } from './receiveUpdates.ts'
import { Timetable } from './Timetable.ts'

const purpose = { durations: 52 } as const

/** From 1 to 4, evenly: machines of one kind differ by less, those of a network by more. */
export function drawDurations(seed: Uint8Array, clients: number): number[] {
  const random = new RandomStream(seed, purpose.durations, 0)
  return Array.from({ length: clients }, (_, client) => 1 + 3 * random.uniform(client))
}

/**
 * Yields after every step of the model; `rounds` are those steps, `members` the clients whose deliveries made it, in their order.
 *
 * @throws PotluckError BAD_FEDERATION for what has no meaning without rounds, and all that `federate` throws
 */
export async function* federateBuffered(
  engine: Engine,
  options: FederatedOptions & { readonly buffered: Buffering },
): AsyncGenerator<FederatedRound, FederatedResult> {
  checkFederated(options)
  const { buffered: buffering, clients, rounds, seed, evaluateEvery = 1, resume, signal, pause } = options
  const model = modelOf(options.config)
  const proximal = options.method?.kind === 'proximal' ? { pull: { proximal: options.method.mu } } : {}
  const frozen = options.frozen ? { frozen: options.frozen } : {}
  const trainer = await localTrainer(engine, model, options.local, { ...proximal, ...frozen })
  const evaluate = options.validation && (await prepareEvaluation(engine, model, options.validation, options.frozen))
  const timetable = new Timetable(buffering.durations ?? drawDurations(seed, clients.length))
  let buffer = replay(timetable, buffering, resume?.round ?? 0, trainer.parameters)

  let parameters = resume?.parameters ?? options.initial ?? initialModelParameters(model, seed)
  const bases = new Map(resume?.bases).set(buffer.version, parameters)
  const residuals = new Map(resume?.residuals)
  let outerState = resume?.outer
  let evaluation: Evaluation | null = null
  const total = { up: 0, down: 0 }
  let taken: Taken[] = []
  let sent = 0
  const state = (): FederatedCheckpoint => ({
    ...{ version: 1, round: buffer.version, parameters: parameters.slice(), outer: { ...outerState } },
    ...{ residuals: new Map(residuals), controls: new Map(), bases: new Map(bases) },
  })

  while (buffer.version < rounds) {
    signal?.throwIfAborted()
    const arrival = timetable.next(buffer.version)
    const { id, data } = clients[arrival.client]!
    const base = bases.get(arrival.version)!
    const run = await trainer.train({ base, data, seed: federatedSeed(seed, arrival.task, id) })
    const received = receiveEach(options, [arrival.client], [run.update], residuals, arrival.task)
    sent += received.bytes
    const update = received.updates[0]!
    const outcome = bufferUpdate(buffer, buffering, update, arrival.version)
    if (outcome.ok) {
      buffer = outcome.buffer
      taken.push({ client: arrival.client, weight: outcome.weight, update, loss: run.loss })
      if (outcome.step) {
        const before = parameters
        const moved = outerStep(options.outer ?? { kind: 'sgd', rate: 1 }, before, outcome.step, outerState)
        parameters = moved.next
        outerState = moved.state
      }
    }
    await pause?.()
    if (!outcome.ok || !outcome.step) continue
    bases.set(buffer.version, parameters)
    const needed = timetable.versions()
    for (const version of bases.keys()) if (!needed.has(version) && version !== buffer.version) bases.delete(version)
    const isDue = buffer.version % evaluateEvery === 0 || buffer.version === rounds
    evaluation = evaluate && isDue ? await evaluate(parameters) : null
    const down = taken.length * 4 * parameters.length
    total.up += sent
    total.down += down
    const done = roundOf(buffer.version, taken, { evaluation, up: sent, down }, state)
    const { round, members, weights } = done
    const updates = taken.map((one) => one.update)
    await options.onUpdates?.({ round, base, next: parameters, members, updates, weights, reference: undefined })
    yield done
    ;[taken, sent] = [[], 0]
  }
  return { parameters, evaluation, bytesUp: total.up, bytesDown: total.down, checkpoint: state() }
}

type Taken = { readonly client: number; readonly weight: number; readonly update: Float32Array; readonly loss: number }

function roundOf(
  round: number,
  taken: readonly Taken[],
  { evaluation, up, down }: { evaluation: Evaluation | null; up: number; down: number },
  checkpoint: () => FederatedCheckpoint,
): FederatedRound {
  const whole = sum(taken.map(({ weight }) => weight))
  return {
    round,
    loss: sum(taken.map(({ loss }) => loss)) / taken.length,
    evaluation,
    personal: null,
    members: taken.map(({ client }) => client),
    weights: Float32Array.from(taken, ({ weight }) => weight / whole),
    norms: Float32Array.from(taken, ({ update }) => normOf(update)),
    bytesUp: up,
    bytesDown: down,
    checkpoint,
  }
}

/** Goes through the deliveries of the first steps without training: who came when depends on durations alone. */
function replay(timetable: Timetable, policy: Buffering, steps: number, P: number): UpdateBuffer {
  let [version, count] = [0, 0]
  while (version < steps) {
    const { version: base } = timetable.next(version)
    if (version - base <= policy.mostStaleness && ++count === policy.size) {
      version++
      count = 0
    }
  }
  return { ...emptyBuffer(P), version }
}
