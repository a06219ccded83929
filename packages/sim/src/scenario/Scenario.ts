import type { Attack, Compression, DeadlinePolicy, Partition, Rule } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import type { Buffering } from './DeliveryOrder.ts'

/** A place with its own links. Rates are of one node. */
export type Region = {
  readonly name: string
  /** Part of all workers that live there; the parts add up to 1. */
  readonly part: number
  readonly upMbit: number
  readonly downMbit: number
}

/** `attack`: trains, then sends what the attack makes of it. `garbage`: sends what no honest node would. `spoil`: serves wrong chunks of models. */
export type Liars =
  | { readonly kind: 'attack'; readonly part: number; readonly attack: Attack }
  | { readonly kind: 'garbage' | 'spoil'; readonly part: number }

/** Everything that decides a run, its seed included. */
export type Scenario = {
  readonly name: string
  readonly seed: number
  readonly rounds: number
  readonly workers: number
  /** Nodes that hold updates and models and fix the set of each round. More than two thirds of them must be up for long enough. */
  readonly keepers: number
  readonly regions: readonly Region[]
  readonly links: {
    /** One way, within a region and between regions. */
    readonly nearMs: number
    readonly farMs: number
    /** Up to so much more, as a part of the latency. */
    readonly jitterPart: number
    /** Messages that never arrive. */
    readonly lossPart: number
  }
  readonly disk: { readonly fsyncMs: number; readonly megabytesPerSecond: number }
  /** Time between two blocks of the chain that orders rounds. */
  readonly blockMs: number
  readonly model: { readonly hidden: readonly number[] }
  readonly training: { readonly steps: number; readonly batch: number; readonly learningRate: number }
  /** In how many pieces a share is delivered; `steps` is a multiple of it. */
  readonly pieces: 1 | 2 | 4
  /** Whether the pieces of a worker that is gone go to others. */
  readonly reassign: boolean
  /** `speed`: more pieces to faster workers (L-69). */
  readonly assign: 'equal' | 'speed'
  /** Inner steps a second of one worker, drawn evenly between the two. */
  readonly speed: { readonly least: number; readonly most: number }
  readonly data: {
    readonly rowsPerWorker: number
    readonly validationRows: number
    readonly referenceRows: number
    readonly partition: Partition
  }
  readonly compression: Compression
  readonly rule: Rule
  /** `regional`: the keepers of each cluster of short ways send one mean of its updates to the others (L-71). */
  readonly aggregate: 'flat' | 'regional'
  /** Without rounds: so many deliveries make a model; one trained from a model more than `staleness` models old does not count (L-72). */
  readonly buffered?: Buffering | undefined
  readonly outerRate: number
  readonly deadline: DeadlinePolicy
  readonly churn: {
    /** Workers that are not there at the start; one after the other joins, so many a round. */
    readonly late: number
    readonly joinPerRound: number
    /** Part of the workers that leave for good, each round. */
    readonly leavePart: number
  }
  readonly crashes: {
    /** Part of the workers killed at a random moment of each round. */
    readonly workerPart: number
    /** Whether one keeper after the other is killed, one a round. */
    readonly keepers: boolean
    /** Until the process is started again. */
    readonly downMs: number
  }
  /** Regions cut off from the rest from `afterMs` of a round on. */
  readonly partitions: readonly {
    readonly round: number
    readonly region: string
    readonly afterMs: number
    readonly forMs: number
  }[]
  readonly liars: readonly Liars[]
  /** `everyone`: each keeper computes each model from its own disk. `once`: one does, the others take its bits. */
  readonly recompute: 'once' | 'everyone'
  readonly limits: {
    /** Simulated time without any delivery, fixed set or model. */
    readonly idleMs: number
    readonly simulatedMs: number
    /** Real time. */
    readonly realMs: number
  }
}

export const defaultScenario: Scenario = {
  name: 'unnamed',
  seed: 1,
  rounds: 5,
  workers: 20,
  keepers: 4,
  regions: [{ name: 'one', part: 1, upMbit: 100, downMbit: 100 }],
  links: { nearMs: 10, farMs: 50, jitterPart: 0.2, lossPart: 0 },
  disk: { fsyncMs: 5, megabytesPerSecond: 200 },
  blockMs: 200,
  model: { hidden: [32] },
  training: { steps: 8, batch: 32, learningRate: 0.1 },
  pieces: 1,
  reassign: false,
  assign: 'equal',
  speed: { least: 2, most: 6 },
  data: { rowsPerWorker: 64, validationRows: 1_000, referenceRows: 128, partition: { kind: 'iid' } },
  compression: { kind: 'topk', keep: 64, feedback: 8 },
  rule: { kind: 'weightedMean' },
  aggregate: 'flat',
  outerRate: 1,
  deadline: { factor: 4, leastSlackMs: 500, leastMs: 2_000, mostMs: 60_000 },
  churn: { late: 0, joinPerRound: 0, leavePart: 0 },
  crashes: { workerPart: 0, keepers: false, downMs: 2_000 },
  partitions: [],
  liars: [],
  recompute: 'once',
  limits: { idleMs: 300_000, simulatedMs: 86_400_000, realMs: 3_600_000 },
}

/** Throws BAD_SCENARIO with the field, what it must be and the value seen, for what a schema of single fields cannot see. */
export function checkScenario(scenario: Scenario): void {
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_SCENARIO', `${field} must be ${allowed}, got ${String(value)}`, { field })
  }
  const { regions, training, pieces, speed, churn, workers, partitions, liars, keepers, rounds, rule } = scenario
  for (const [field, value] of Object.entries({ workers, keepers, rounds, steps: training.steps }))
    if (!Number.isSafeInteger(value) || value < 1) refuse(field, 'whole and at least 1', value)
  if (training.steps % pieces !== 0) refuse('training.steps', `a multiple of pieces (${pieces})`, training.steps)
  if (!(speed.least > 0 && speed.most >= speed.least))
    refuse('speed', 'least above 0 and most at least as high', JSON.stringify(speed))
  const sum = regions.reduce((all, { part }) => all + part, 0)
  if (Math.abs(sum - 1) > 1e-6) refuse('regions', 'parts that add up to 1', sum)
  if (churn.late >= workers) refuse('churn.late', `below workers (${workers})`, churn.late)
  if (churn.late > 0 && churn.joinPerRound < 1)
    refuse('churn.joinPerRound', 'at least 1 with late workers', churn.joinPerRound)
  const names = new Set(regions.map(({ name }) => name))
  if (names.size < regions.length) refuse('regions', 'of different names', regions.length - names.size)
  for (const { region } of partitions) if (!names.has(region)) refuse('partitions.region', 'a region', region)
  const lying = liars.reduce((all, { part }) => all + part, 0)
  if (lying > 1) refuse('liars', 'parts of at most 1 together', lying)
  checkBuffered(scenario, refuse)
  if (scenario.aggregate === 'regional') {
    if (rule.kind !== 'mean' && rule.kind !== 'weightedMean') {
      const why = 'over the means of clusters a robust rule would see a cluster with its liars as one member'
      refuse('rule', `mean or weighted with aggregate: regional (${why})`, rule.kind)
    }
    if (keepers < regions.length)
      refuse('keepers', `one for each of the ${regions.length} regions with aggregate: regional`, keepers)
  }
}

type Refuse = (field: string, allowed: string, value: unknown) => never

function checkBuffered({ buffered, rule, aggregate, pieces, reassign, assign }: Scenario, refuse: Refuse): void {
  if (!buffered) return
  const { size, staleness } = buffered
  if (!Number.isSafeInteger(size) || size < 1) refuse('buffered.size', 'whole and at least 1', size)
  if (!Number.isSafeInteger(staleness) || staleness < 0) refuse('buffered.staleness', 'whole and at least 0', staleness)
  if (rule.kind !== 'mean' && rule.kind !== 'weightedMean')
    refuse('rule', 'mean or weighted with buffered: deliveries are added up in their order', rule.kind)
  if (aggregate !== 'flat') refuse('aggregate', 'flat with buffered: there is no round to take means of', aggregate)
  if (pieces !== 1) refuse('pieces', '1 with buffered: each worker delivers when it is done', pieces)
  if (reassign) refuse('reassign', 'false with buffered: nobody is given work that could be taken over', reassign)
  if (assign !== 'equal') refuse('assign', 'equal with buffered: faster workers deliver more often', assign)
}
