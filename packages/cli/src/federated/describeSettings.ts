import type { TrainingRecipe } from '@potluck/engine'
import {
  type Buffering,
  type Client,
  type Compression,
  type LocalMethod,
  type OuterOptimizer,
  type Partition,
  partitionText,
  type Rule,
} from '@potluck/learning'

export type ChosenSettings = {
  readonly how: Partition
  readonly rule: Rule
  readonly compression: Compression
  readonly outer: OuterOptimizer
  readonly method: LocalMethod
  readonly aside: number
  readonly noise: { readonly clip: number; readonly multiplier: number } | undefined
  readonly masks: { readonly groupSize: number } | undefined
  readonly clients: readonly Client[]
  readonly perRound: number
  readonly rounds: number
  readonly recipe: TrainingRecipe
  readonly personal: readonly string[] | undefined
  readonly buffered: Buffering | undefined
}

/** Everything chosen, named: what a person reads before the run and in its report. */
export const describeSettings = (chosen: ChosenSettings): [string, string][] => [
  ['partition', partitionText(chosen.how)],
  ['clients', `${chosen.clients.length}, ${chosen.perRound} a round`],
  ...(chosen.buffered
    ? ([
        [
          'without rounds',
          `${chosen.buffered.size} deliveries a step, at most ${chosen.buffered.mostStaleness} steps old; speeds of 1 to 4 are drawn`,
        ],
      ] as [string, string][])
    : []),
  ['rounds', `${chosen.rounds} of ${chosen.recipe.steps} steps`],
  ['rule', fieldsOf(chosen.rule)],
  ['compression', fieldsOf(chosen.compression)],
  ['outer', fieldsOf(chosen.outer)],
  ['method', fieldsOf(chosen.method)],
  ['inner', `${chosen.recipe.optimizer.kind} at ${chosen.recipe.learningRate}, batch ${chosen.recipe.batch}`],
  ...(chosen.masks ? ([['masks', `sums of ${chosen.masks.groupSize} clients and more`]] as [string, string][]) : []),
  ...(chosen.noise
    ? ([['noise', `clip ${chosen.noise.clip}, multiplier ${chosen.noise.multiplier}`]] as [string, string][])
    : []),
  ...(chosen.personal ? ([['stays with each client', chosen.personal.join(' ')]] as [string, string][]) : []),
  ...(chosen.aside > 0 ? ([['public rows', String(chosen.aside)]] as [string, string][]) : []),
]

/** `kind` and what else is chosen: `topk keep 64 feedback 8`. */
const fieldsOf = ({ kind, ...fields }: { readonly kind: string } & Readonly<Record<string, unknown>>): string =>
  [kind, ...Object.entries(fields).map(([name, value]) => `${name} ${shownField(value)}`)].join(' ')

const shownField = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `(${fieldsOf(value as { kind: string })})` : String(value)
