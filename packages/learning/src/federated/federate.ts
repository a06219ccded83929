/**
 * Federated training in one process: what a network of participants computes, round by round, without the network.
 *
 * A round: members are drawn; each trains H steps from the same base; what it sends is compressed, framed and counted; the
 * rule makes one update of all, and the outer optimiser moves the model by it (design 4.4). Clients that lie are replaced by
 * what their attack sends. Everything is a function of the options (L-78 … L-82).
 */
import {
  type Engine,
  type Evaluation,
  type Evaluator,
  initialModelParameters,
  type LocalPull,
  modelOf,
  prepareEvaluation,
  type TrainingData,
} from '@potluck/engine'
import { applyRule } from '../aggregation/applyRule.ts'
import { outerStep } from '../outer/outerStep.ts'
import { ControlVariates } from './ControlVariates.ts'
import {
  checkFederated,
  type FederatedCheckpoint,
  type FederatedOptions,
  type FederatedResult,
  type FederatedRound,
  SCAFFOLD_SHARE,
} from './FederatedOptions.ts'
import { federateBuffered } from './federateBuffered.ts'
import { drawMembers, federatedSeed } from './federatedSeed.ts'
import { type LocalTrainer, localTrainer } from './localTrainer.ts'
import { guessReference, lyingClients, withAttacks } from './lyingClients.ts'
import { maskedGroups } from './maskedGroups.ts'
import { PersonalPart, personalEvaluator } from './PersonalPart.ts'
import { normOf, ofMembers, receiveEach, sum, sumGroups } from './receiveUpdates.ts'

/**
 * Yields after every round; returns the trained model after the last. Same options, same bits, interrupted or not.
 *
 * @throws PotluckError BAD_FEDERATION and what `checkRule` refuses, before anything runs; what training throws, with round and
 * client; the signal's reason when aborted
 */
export async function* federate(
  engine: Engine,
  options: FederatedOptions,
): AsyncGenerator<FederatedRound, FederatedResult> {
  checkFederated(options)
  const { buffered } = options
  if (buffered) return yield* federateBuffered(engine, { ...options, buffered })
  const { clients, rounds, perRound = clients.length, seed, evaluateEvery = 1, resume, outer } = options
  const model = modelOf(options.config)
  const method = options.method ?? { kind: 'plain' as const }
  const { rule = { kind: 'weightedMean' as const }, masks } = options
  const groups = masks && maskedGroups(seed, clients.length, masks.groupSize)
  const pull: LocalPull =
    method.kind === 'proximal' ? { proximal: method.mu } : method.kind === 'scaffold' ? { isCorrected: true } : {}
  const frozen = options.frozen ? { frozen: options.frozen } : {}
  const trainer = await localTrainer(engine, model, options.local, { pull, ...frozen })
  const plain = method.kind === 'plain' ? trainer : await localTrainer(engine, model, options.local, frozen)
  const evaluate = options.validation && (await prepareEvaluation(engine, model, options.validation, options.frozen))
  const own = new PersonalPart(model, options.personal ?? [], resume?.personal)
  const evaluateOwn = options.personal ? await personalEvaluator(engine, model, clients, options.frozen) : null
  const lying = lyingClients(options)
  const sizes = clients.map(({ data }) => samplesOf(data, model.sample))
  const residuals = new Map(resume?.residuals)
  const controls = controlVariates(options, trainer.parameters)

  let parameters = resume?.parameters ?? options.initial ?? initialModelParameters(model, seed)
  let [outerState, previous] = [resume?.outer, resume?.previous]
  let [bytesUp, bytesDown] = [0, 0]
  let evaluation: Evaluation | null = null
  let round = resume?.round ?? 0
  const state = (): FederatedCheckpoint => ({
    ...{ version: 1, round, parameters: parameters.slice(), outer: { ...outerState }, residuals: new Map(residuals) },
    ...(previous ? { previous } : {}),
    ...(controls ? controls.state() : { controls: new Map() }),
    ...(options.personal ? { personal: own.state() } : {}),
  })

  const cut = (update: Float32Array): Float32Array => own.cut(update)

  while (round < rounds) {
    round++
    const base = parameters
    const members = drawMembers(seed, round, clients.length, perRound)
    const trained = await trainMembers(trainer, options, { round, base, members, lying, controls, own })
    const referenceSeed = federatedSeed(seed, round, 'reference')
    const reference =
      options.reference && (await plain.train({ base, data: options.reference, seed: referenceSeed })).update
    const guess = options.reference && lying.size > 0 ? await guessReference(plain, options, round, base) : undefined
    const sent = withAttacks(options, {
      members,
      lying,
      round,
      guess,
      previous,
      trained: trained.map((run) => run.update),
    })
    const received = groups
      ? sumGroups(options, groups, sent.map(cut), sizes, round)
      : receiveEach(options, members, sent.map(cut), residuals, round)
    const updates = received.updates.map((update) => own.widen(update, trainer.parameters))
    const aggregate = applyRule(rule, {
      updates,
      sizes: groups ? groups.map((group) => sum(group.map((client) => sizes[client]!))) : members.map((m) => sizes[m]!),
      reference,
      previous,
      seed: federatedSeed(seed, round, 'rule'),
    })
    // A liar's variate is that of its honest training, from which its attack starts. Under masks a client alone knows what it sent.
    const shown = (member: number, at: number): Float32Array =>
      lying.has(member) ? trained[at]!.update : (groups ? sent : updates)[at]!
    controls?.learn(members, members.map(shown), aggregate.update)
    const isScaled = method.kind === 'scaffold' && method.isScaled
    const direction = controls && isScaled ? controls.scaled(aggregate.update) : aggregate.update
    const moved = outerStep(outer ?? { kind: 'sgd', rate: 1 }, base, direction, outerState)
    parameters = moved.next
    outerState = moved.state
    previous = aggregate.update
    const up = received.bytes
    const down = members.length * 4 * own.shared
    bytesUp += up
    bytesDown += down
    const { weights } = aggregate
    await options.onUpdates?.({ round, base, next: parameters, members, updates, weights, groups, reference })
    const isDue = round % evaluateEvery === 0 || round === rounds
    evaluation = await evaluationOf(evaluate, parameters, isDue)
    yield {
      round,
      loss: sum(trained.map(({ loss }) => loss)) / trained.length,
      evaluation,
      personal: evaluateOwn && isDue ? await evaluateOwn(parameters, own) : null,
      members,
      ...(groups
        ? ofMembers(groups, weights, updates, sizes, options.noise !== undefined)
        : { weights, norms: Float32Array.from(updates, normOf) }),
      bytesUp: up,
      bytesDown: down,
      checkpoint: state,
    }
  }
  return { parameters, evaluation, bytesUp, bytesDown, checkpoint: state() }
}

function controlVariates(
  { method, clients, local, resume }: FederatedOptions,
  parameters: number,
): ControlVariates | null {
  if (method?.kind !== 'scaffold') return null
  const { share = SCAFFOLD_SHARE } = method
  return new ControlVariates(
    parameters,
    { clients: clients.length, share, length: local.steps * local.learningRate },
    resume,
  )
}

type Round = {
  readonly round: number
  readonly base: Float32Array
  readonly members: readonly number[]
  /** Data that lying clients train on, by client. */
  readonly lying: ReadonlyMap<number, TrainingData>
  readonly controls: ControlVariates | null
  readonly own: PersonalPart
}

/** What honest training gives each member; liars train on their own, perhaps poisoned, rows. */
async function trainMembers(
  trainer: LocalTrainer,
  { clients, seed, signal, pause }: FederatedOptions,
  { round, base: common, members, lying, controls, own }: Round,
): Promise<{ update: Float32Array; loss: number }[]> {
  const trained: { update: Float32Array; loss: number }[] = []
  for (const member of members) {
    signal?.throwIfAborted()
    const { id, data } = clients[member]!
    const base = own.baseFor(member, common)
    const correction = controls ? { correction: controls.correctionFor(member) } : {}
    const task = { base, data: lying.get(member) ?? data, seed: federatedSeed(seed, round, id), ...correction }
    const run = await trainer.train(task)
    own.keep(member, base, run.update)
    trained.push(run)
    await pause?.()
  }
  return trained
}

const evaluationOf = async (
  evaluate: Evaluator | undefined,
  parameters: Float32Array,
  isDue: boolean,
): Promise<Evaluation | null> => (evaluate && isDue ? evaluate(parameters) : null)

/** Rows, or tokens of a text. */
const samplesOf = (data: TrainingData, sample: ReturnType<typeof modelOf>['sample']): number =>
  data.kind === 'tokens' ? data.tokens.length : data.inputs.length / (sample.kind === 'rows' ? sample.inputs : 1)

/** Runs a federation to its end. `onRound` is called after every round. */
export async function federateToEnd(
  engine: Engine,
  options: FederatedOptions & { readonly onRound?: (round: FederatedRound) => void },
): Promise<FederatedResult> {
  const rounds = federate(engine, options)
  for (;;) {
    const next = await rounds.next()
    if (next.done) return next.value
    options.onRound?.(next.value)
  }
}
