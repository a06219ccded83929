import { modelOf, planTraining, type TrainingRecipe } from '@potluck/engine'
import {
  type Client,
  checkFederated,
  type FederatedOptions,
  type LocalMethod,
  maskedGroups,
  type Partition,
} from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import { chooseConfig } from '../training/chooseConfig.ts'
import { chooseRecipe } from '../training/chooseRecipe.ts'
import { type DataShape, hashData, type LoadedData, sizeOfData } from '../training/LoadedData.ts'
import { loadData, validShare } from '../training/loadData.ts'
import { checkMemory, type MemoryNeed, shownBytes } from '../training/memoryLimit.ts'
import {
  baseOf,
  describeConfig,
  PROCESS_BYTES,
  type PreparedRun,
  type RunOptions,
  seedBytes,
  shownFlops,
  startOf,
  writtenConfig,
} from '../training/prepareRun.ts'
import { chooseAttackers } from './chooseAttackers.ts'
import { describeSettings } from './describeSettings.ts'
import { divideData } from './divideData.ts'
import { headNames, withOwnValidation } from './personalHeads.ts'
import type { AttackFacts, ClientFacts } from './report/FederatedFacts.ts'
import { type RunFile, runFileOf } from './runFile.ts'
import { checkFederatedUsage, type FederatedWishes } from './settings/FederatedWishes.ts'
import { parseBuffered } from './settings/parseBuffered.ts'
import { parseCompression } from './settings/parseCompression.ts'
import { parseMethod } from './settings/parseMethod.ts'
import { parseNoise } from './settings/parseNoise.ts'
import { parseOuter } from './settings/parseOuter.ts'
import { parseRule } from './settings/parseRule.ts'
import { setAside } from './takeReference.ts'

export type PreparedFederation = {
  /** Model, data and identity as for a training of one; the recipe is that of a round. */
  readonly run: PreparedRun
  readonly options: FederatedOptions
  readonly clients: readonly ClientFacts[]
  /** Name and value of everything chosen, for a person. */
  readonly settings: readonly (readonly [string, string])[]
  readonly attack: AttackFacts | null
  /** All that makes the run, to be kept beside its model. */
  readonly file: RunFile
}

/** Inner steps of a round: twenty save a twentyfold of bytes and cost no accuracy that we could measure. */
const LOCAL_STEPS = 20
/** Rounds at least and at most, where none are asked for. */
const ROUNDS = [10, 50] as const
/**
 * Reads and divides the data, chooses model, recipe and settings, and checks that the run fits into memory.
 *
 * @param available bytes this machine can still give
 * @throws PotluckError what loading, dividing, choosing and the federation's own checks throw; BAD_SETTING, OUT_OF_MEMORY
 */
export function prepareFederated(
  options: RunOptions & FederatedWishes,
  how: Partition,
  available: number,
): PreparedFederation {
  checkFederatedUsage(options)
  const seed = seedBytes(options.seed)
  const base = baseOf(options)
  const loaded = loadData({ ...options, site: how.kind === 'column' ? how.column : undefined }, seed, base?.model)
  const { train, rows, reference, aside } = setAside(loaded, options, seed)
  const divided = divideData(train, loaded, { how, clients: options.clients, seed, rows })
  const clients = options.personalHead ? withOwnValidation(divided.clients, validShare(options), seed) : divided.clients
  const shape = shapeOfClient(loaded.shape, clients)
  const config = base?.config ?? chooseConfig(shape, writtenConfig(options))
  const personal = options.personalHead ? headNames(modelOf(config)) : undefined
  const start = startOf(base)
  const perRound = options.perRound ?? clients.length
  const method = parseMethod(options.method ?? 'plain')
  const recipe = localRecipe(config, shape, options, method)
  const { attackers, attack } = chooseAttackers(options.attackers, clients, loaded, seed)
  const noise = options.noise === undefined ? undefined : parseNoise(options.noise)
  const masks = options.masks === undefined ? undefined : { groupSize: options.masks }
  const counted = masks ? maskedGroups(seed, clients.length, masks.groupSize).length : perRound
  const buffered = options.buffered === undefined ? undefined : parseBuffered(options.buffered)
  const usual = buffered ? 'mean' : usualRule(reference !== undefined, noise !== undefined)
  const written = {
    rule: options.rule ?? usual,
    compress: options.compress ?? 'none',
    outer: options.outer ?? 'sgd',
    method: options.method ?? 'plain',
  }
  const rule = parseRule(written.rule, counted)
  const compression = parseCompression(written.compress)
  const outer = parseOuter(written.outer)
  const rounds = options.rounds ?? usualRounds(config, loaded.shape, options, recipe.steps)
  const federated: FederatedOptions = {
    config,
    local: recipe,
    method,
    clients,
    rounds,
    perRound,
    seed,
    compression,
    rule,
    outer,
    reference,
    // A common model without its head says nothing: then clients judge on rows of their own.
    validation: personal ? undefined : loaded.valid,
    evaluateEvery: options.evaluateEvery ?? Math.max(1, Math.ceil(rounds / 50)),
    initial: start.parameters,
    frozen: start.frozen,
    ...(attackers ? { attackers } : {}),
    ...(noise ? { noise } : {}),
    ...(masks ? { masks } : {}),
    ...(personal ? { personal } : {}),
    ...(buffered ? { buffered } : {}),
  }
  checkFederated(federated)
  const plan = planTraining(config, recipe)
  const need = memoryNeed(plan, federated, loaded)
  checkMemory(need, available, {
    batch: recipe.batch,
    recompute: options.recompute,
    needOf: (batch) => memoryNeed(planTraining(config, { ...recipe, batch }), federated, loaded),
  })
  const settings = describeSettings({
    how,
    rule,
    noise,
    masks,
    compression,
    outer,
    method,
    aside,
    clients,
    perRound,
    rounds,
    recipe,
    personal,
    buffered,
  })
  const dataHash = hashData(train, loaded.valid, ...clients.map(({ data }) => data))
  const shown = settings.map(([name, value]) => `${name} ${value}`)
  return {
    run: {
      data: loaded,
      config,
      model: modelOf(config),
      recipe,
      seed,
      plan,
      start,
      identity: {
        model: JSON.stringify(config),
        recipe: JSON.stringify(recipe),
        seed: String(options.seed),
        data: dataHash,
        ...(start.identity === undefined ? {} : { base: start.identity }),
        federation: JSON.stringify({
          perRound,
          method,
          rule,
          compression,
          outer,
          aside,
          attackers: attackers ?? null,
          noise,
          masks,
          ...(personal ? { personal } : {}),
          ...(buffered ? { buffered } : {}),
        }),
      },
      lines: [
        ...loaded.lines,
        `model ${describeConfig(config)}: ${plan.parameters} parameters`,
        `${clients.length} clients, ${sizesOf(divided.facts, unitOf(loaded.shape))}`,
        `${rounds} rounds of ${recipe.steps} steps of ${recipe.batch}, ${recipe.optimizer.kind} at ${recipe.learningRate}; ${shownFlops(plan.flopsPerStep * recipe.steps * perRound)} a round`,
        shown.join(' · '),
        `memory at its peak: ${shownBytes(need.planBytes)} for a step, ${shownBytes(need.otherBytes)} for data, updates and state; ${shownBytes(available)} are free`,
      ],
    },
    options: federated,
    clients: divided.facts.map((facts, c) => ({ ...facts, isAttacker: attackers?.of.includes(c) ?? false })),
    settings,
    attack,
    file: runFileOf(options, {
      ...written,
      dataHash,
      model: base ? undefined : { ...config },
      partition: options.partition ?? 'iid',
      rounds,
      localSteps: recipe.steps,
      perRound: options.perRound,
      reference: aside > 0 ? aside : undefined,
      batch: recipe.batch,
      rate: recipe.learningRate,
      optimizer: recipe.optimizer.kind,
    }),
  }
}

/** Rows are told by the clients themselves, and would betray those that noise hides. */
const usualRule = (hasReference: boolean, hasNoise: boolean): string =>
  hasReference ? 'reference' : hasNoise ? 'mean' : 'weighted'

/** What a model must fit: the data's extents, with as much of it as a client has on average. */
function shapeOfClient(shape: DataShape, clients: readonly Client[]): DataShape {
  const { length } = clients
  if (shape.kind === 'text') {
    const parts = clients.map(({ data }) => (data.kind === 'tokens' ? data.tokens.length : 0))
    return { ...shape, shortest: Math.min(shape.shortest, ...parts) }
  }
  if (shape.kind === 'images') return shape
  return { ...shape, rows: Math.max(1, Math.floor(shape.rows / length)) }
}

/**
 * How a client trains in a round. Rates stay as they are: a round is too short for a decay. SCAFFOLD is defined for plain gradient
 * descent, which takes a larger rate.
 */
function localRecipe(
  config: PreparedRun['config'],
  shape: DataShape,
  options: RunOptions & FederatedWishes,
  { kind }: LocalMethod,
): TrainingRecipe {
  const steps = options.localSteps ?? LOCAL_STEPS
  const isScaffold = kind === 'scaffold'
  if (isScaffold && options.optimizer !== undefined && options.optimizer !== 'sgd') {
    const message = `--method scaffold is defined for gradient descent: leave --optimizer ${options.optimizer} out, or take --method fedprox`
    throw new PotluckError('BAD_USAGE', message, { optimizer: options.optimizer })
  }
  const optimizer = isScaffold ? 'sgd' : options.optimizer
  const {
    warmupSteps: _,
    decay: __,
    floor: ___,
    ...recipe
  } = chooseRecipe(config, shape, {
    ...options,
    optimizer,
    steps,
    evaluateEvery: steps,
  })
  return isScaffold ? { ...recipe, optimizer: { kind: 'sgd' } } : recipe
}

/** As many rounds as make the steps of a training of one, within bounds. */
function usualRounds(config: PreparedRun['config'], shape: DataShape, options: RunOptions, localSteps: number): number {
  const { steps } = chooseRecipe(config, shape, { ...options, steps: undefined })
  return Math.min(ROUNDS[1], Math.max(ROUNDS[0], Math.ceil(steps / localSteps)))
}

/** Arrays of the model's size a member of a round has at once: what it trained, what it sends, what is decoded, what it keeps. */
const COPIES_A_CLIENT = 4
const COPIES = 10

const memoryNeed = (
  { parameters, frozen, peakBytes, evaluationBytes }: PreparedRun['plan'],
  { perRound = 1, clients, compression, personal }: FederatedOptions,
  data: LoadedData,
): MemoryNeed => {
  const keeps = (compression?.kind === 'topk' ? clients.length : 0) + (personal ? clients.length : 0)
  return {
    planBytes: peakBytes + evaluationBytes,
    otherBytes:
      2 * sizeOfData(data.train, data.valid, data.test) +
      4 * parameters * (COPIES + COPIES_A_CLIENT * perRound + keeps) +
      4 * frozen * COPIES +
      PROCESS_BYTES,
  }
}

/** What the data of a client is counted in. */
export const unitOf = ({ kind }: DataShape): 'rows' | 'images' | 'tokens' =>
  kind === 'table' ? 'rows' : kind === 'images' ? 'images' : 'tokens'

function sizesOf(facts: readonly { readonly size: number }[], unit: string): string {
  const sizes = facts.map(({ size }) => size)
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  return least === most ? `${least} ${unit} each` : `${least} to ${most} ${unit} each`
}
