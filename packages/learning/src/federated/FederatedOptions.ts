import type { Engine, Evaluation, ModelConfig, TrainingData, TrainingRecipe } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { checkRule } from '../aggregation/checkRule.ts'
import type { Rule } from '../aggregation/Rule.ts'
import type { Attack } from '../attacks/Attack.ts'
import type { Compression } from '../compression/Compression.ts'
import type { OuterOptimizer } from '../outer/OuterOptimizer.ts'
import type { BufferPolicy } from '../rounds/bufferedUpdates.ts'
import { checkBuffered } from './checkBuffered.ts'
import { type ClientNoise, type Masks, maskedGroups } from './maskedGroups.ts'

/** One participant with rows of its own. */
export type Client = {
  readonly id: string
  readonly data: TrainingData
  /** Its own rows that are never trained on, for a model with personal parameters. */
  readonly validation?: TrainingData
}

/** How a participant's steps differ from plain local training. */
export type LocalMethod =
  | { readonly kind: 'plain' }
  /** FedProx (arXiv:1812.06127): each step is drawn back to the round's base. */
  | { readonly kind: 'proximal'; readonly mu: number }
  /**
   * SCAFFOLD (arXiv:1910.06378): each step is corrected by what the others' gradients were. Plain SGD only. `share`: how much of a
   * round goes into that memory, above 0, at most 1 as in the paper; default SCAFFOLD_SHARE. `isScaled`: the outer step goes further where
   * the clients' directions are small. For means without masks.
   */
  | { readonly kind: 'scaffold'; readonly share?: number; readonly isScaled?: boolean }

export const SCAFFOLD_SHARE = 0.1

/** How deliveries become steps where nobody waits. */
export type Buffering = BufferPolicy & {
  /** How long each client takes for a task, in any unit; drawn from 1 to 4 when left out. */
  readonly durations?: readonly number[]
}

export type FederatedOptions = {
  readonly config: ModelConfig
  /** How a participant trains in a round; `steps` are the inner steps H. */
  readonly local: TrainingRecipe
  /** Default plain. */
  readonly method?: LocalMethod
  readonly clients: readonly Client[]
  readonly rounds: number
  /** Participants of a round, drawn anew for each. Default all. */
  readonly perRound?: number
  /** Decides start, draws, batches and attacks. 32 bytes by convention. */
  readonly seed: Uint8Array
  /** Default f32. */
  readonly compression?: Compression
  /** Default the mean weighed by rows. */
  readonly rule?: Rule
  /** Default SGD at rate 1: the model moves by the aggregate. */
  readonly outer?: OuterOptimizer
  /** Rows from which everybody can recompute the reference update; needed by the rule `reference`. */
  readonly reference?: TrainingData | undefined
  /** Never trained on. */
  readonly validation?: TrainingData | undefined
  /** Rounds between two evaluations; the last is always evaluated. Default 1. */
  readonly evaluateEvery?: number
  /** Without rounds: whoever is done delivers, every `size`-th delivery makes a step (`rounds` counts these). Rule mean only. */
  readonly buffered?: Buffering
  /** Names of parameters that stay with each client, such as the last layer's. Not with SCAFFOLD. */
  readonly personal?: readonly string[]
  /** Sums in groups instead of single updates: all clients, every round; the rule works on the groups' means. */
  readonly masks?: Masks
  /** Without masks, each client hides itself with all the noise; with them each adds its part. */
  readonly noise?: ClientNoise
  /** Numbers of the clients that lie, and how. */
  readonly attackers?: { readonly of: readonly number[]; readonly attack: Attack }
  /** The start, laid out as `modelOf(config).parameters` says. */
  readonly initial?: Float32Array | undefined
  /** The fixed base of a model with adapters. */
  readonly frozen?: Float32Array | undefined
  readonly resume?: FederatedCheckpoint | undefined
  /** Sees each round before the next begins: for contribution scores, pictures and tests. */
  readonly onUpdates?: ((view: RoundView) => void | Promise<void>) | undefined
  readonly signal?: AbortSignal | undefined
  /** Awaited between participants, so that the caller can do something else. */
  readonly pause?: (() => Promise<void>) | undefined
}

/** What everybody can see of a round. Arrays are the run's own: copy what is kept. */
export type RoundView = {
  /** From 1. */
  readonly round: number
  readonly base: Float32Array
  readonly next: Float32Array
  /** Client numbers, in order. */
  readonly members: readonly number[]
  /** As receivers decode them, in order of `members`; with masks the means of the groups. */
  readonly updates: readonly Float32Array[]
  /** Each update's part in the aggregate. */
  readonly weights: Float32Array
  /** With masks: the client numbers of each group. */
  readonly groups?: readonly (readonly number[])[] | undefined
  readonly reference: Float32Array | undefined
}

export type FederatedRound = {
  /** From 1. */
  readonly round: number
  /** Mean over the members of the mean loss of their steps. */
  readonly loss: number
  /** Of the model after the round, where one is due. */
  readonly evaluation: Evaluation | null
  /** With personal parameters, and where clients have validation rows: each client's own model on its own rows. */
  readonly personal: Evaluation | null
  readonly members: readonly number[]
  /** Each member's part in the aggregate, in order of `members`; all 0 when the model stayed as it was. */
  readonly weights: Float32Array
  /** Norm of each member's update as decoded; with masks, of its group's mean. */
  readonly norms: Float32Array
  /** Sent by all members together, framed and signed. */
  readonly bytesUp: number
  /** Received by all members together: the model as f32. */
  readonly bytesDown: number
  /** The state after this round. Call it before the next; costs a copy of the state. */
  checkpoint(): FederatedCheckpoint
}

/** All that a run needs to go on to the same bits. */
export type FederatedCheckpoint = {
  readonly version: 1
  /** Rounds done. */
  readonly round: number
  readonly parameters: Float32Array
  readonly outer: Readonly<Record<string, Float32Array>>
  /** Last aggregate; absent before the first. */
  readonly previous?: Float32Array
  /** By client number: what compression has not sent yet. */
  readonly residuals: ReadonlyMap<number, Float32Array>
  /** SCAFFOLD: the common variate and each client's own. */
  readonly control?: Float32Array
  readonly controls: ReadonlyMap<number, Float32Array>
  /** By client number: its whole parameters when it last trained, where a part of them is its own. */
  readonly personal?: ReadonlyMap<number, Float32Array>
  /** Of a buffered run, by number: models that somebody is training from. */
  readonly bases?: ReadonlyMap<number, Float32Array>
}

export type FederatedResult = {
  readonly parameters: Float32Array
  /** The last one; null without validation data. */
  readonly evaluation: Evaluation | null
  readonly bytesUp: number
  readonly bytesDown: number
  readonly checkpoint: FederatedCheckpoint
}

/** `federate` as an argument. */
export type Federate = (engine: Engine, options: FederatedOptions) => AsyncGenerator<FederatedRound, FederatedResult>

/** Throws BAD_FEDERATION with the field, what it must be and the value seen; what `checkRule` throws. */
export function checkFederated(options: FederatedOptions): void {
  const { clients, rounds, perRound = clients.length, evaluateEvery = 1, local } = options
  const { method = { kind: 'plain' }, rule = { kind: 'weightedMean' }, compression = { kind: 'f32' } } = options
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_FEDERATION', `${field} must be ${allowed}, got ${String(value)}`, { field })
  }
  if (clients.length < 1) refuse('clients', 'at least one', 0)
  const ids = new Set(clients.map(({ id }) => id))
  if (ids.size < clients.length) refuse('clients', 'of different ids', `${clients.length - ids.size} twice`)
  for (const [field, value] of Object.entries({ rounds, evaluateEvery })) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(field, 'whole and at least 1', value)
  }
  if (!Number.isSafeInteger(perRound) || perRound < 1 || perRound > clients.length)
    refuse('perRound', `1 to the ${clients.length} clients`, perRound)
  if (method.kind === 'proximal' && !(method.mu > 0 && method.mu < 1_000))
    refuse('method.mu', 'above 0 and below 1000', method.mu)
  if (method.kind === 'scaffold' && (local.optimizer.kind !== 'sgd' || (local.optimizer.momentum ?? 0) > 0))
    refuse('local.optimizer', 'sgd without momentum, which SCAFFOLD is defined for', local.optimizer.kind)
  if (method.kind === 'scaffold' && method.share !== undefined && !(method.share > 0 && method.share <= 1))
    refuse('method.share', 'above 0, at most 1', method.share)
  const isMean = rule.kind === 'mean' || rule.kind === 'weightedMean'
  if (method.kind === 'scaffold' && method.isScaled && (options.masks || !isMean))
    refuse(
      'method.isScaled',
      'left out under masks, which hide the directions, and under rules against liars, who would choose the scale',
      true,
    )
  if ((options.personal?.length ?? 0) > 0 && method.kind === 'scaffold')
    refuse('method', 'plain or proximal with personal parameters', method.kind)
  if (options.buffered) checkBuffered(options)
  const bad = options.attackers?.of.find((client) => !(client in clients))
  if (bad !== undefined) refuse('attackers.of', `numbers of clients, 0 to ${clients.length - 1}`, bad)
  const { masks, noise } = options
  if (noise && !(noise.clip > 0 && noise.multiplier > 0)) refuse('noise', 'a clip and a multiplier above 0', noise.clip)
  if (noise && rule.kind === 'weightedMean')
    refuse('rule', 'one that does not weigh by rows, where noise hides whole clients', rule.kind)
  if (masks && compression.kind !== 'f32')
    refuse('compression', 'f32 under masks: a masked word looks random and cannot be made smaller', compression.kind)
  if (masks && perRound < clients.length) refuse('perRound', `all ${clients.length} clients under masks`, perRound)
  const members = masks ? maskedGroups(options.seed, clients.length, masks.groupSize).length : perRound
  checkRule(rule, { members, compression, hasReference: options.reference !== undefined })
}
