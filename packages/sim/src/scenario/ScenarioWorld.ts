import {
  type Engine,
  type Evaluator,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  prepareEvaluation,
  type TrainingRecipe,
} from '@potluck/engine'
import { localTrainer, type Partition, partitionRows, selectRows } from '@potluck/learning'
import { addressOfSecret, type Hex, PotluckError } from '@potluck/protocol'
import { Draws } from '../Draws.ts'
import { Scheduler } from '../Scheduler.ts'
import { Changes } from './Changes.ts'
import { type Clusters, formClusters } from './Clusters.ts'
import { type Crew, ownCrew } from './Crew.ts'
import type { CrewOrders } from './crewThread.ts'
import { DeliveryReader } from './Delivery.ts'
import { Disk } from './Disk.ts'
import { drawDigits, type Rows } from './digits.ts'
import { Ledger } from './Ledger.ts'
import { ChunkReader, type ModelFile, modelFileOf } from './ModelFile.ts'
import { type Aggregator, createAggregator, seedOf } from './nextModel.ts'
import type { Process } from './Process.ts'
import { ReceiptReader } from './Receipts.ts'
import { type Round, RoundChain } from './RoundChain.ts'
import { createRegionalModel, type RegionalModel } from './regionalModel.ts'
import { checkScenario, type Liars, type Region, type Scenario } from './Scenario.ts'
import { ShapedLinks } from './ShapedLinks.ts'
import { threadCrew } from './threadCrew.ts'

/** One machine: what outlives its processes. Keepers have the lowest numbers. */
export type SimMachine = {
  readonly node: number
  readonly kind: 'keeper' | 'worker'
  readonly secret: Uint8Array
  readonly address: Hex
  readonly disk: Disk
  readonly stepsPerSecond: number
  readonly liar: Liars | undefined
  process: Process | undefined
  /** Training now: since when, for how many steps. Counted when a crash ends it. */
  training: { readonly sinceMs: number; readonly steps: number } | undefined
  startedMs: number
}

/** Where the data comes from when it is not drawn. */
export type ScenarioData = { readonly train: Rows; readonly validation: Rows; readonly classes: number }

/** Everything of a run that no crash touches, and the pure functions all nodes share. */
export type ScenarioWorld = {
  readonly scenario: Scenario
  readonly scheduler: Scheduler
  readonly chain: RoundChain
  readonly clusters: Clusters
  readonly links: ShapedLinks
  readonly ledger: Ledger
  readonly machines: readonly SimMachine[]
  readonly keepers: readonly SimMachine[]
  readonly workers: readonly SimMachine[]
  /** Those of a node's own cluster: they take its share. */
  keepersOf(node: number): readonly SimMachine[]
  /** Numbers of the model. */
  readonly parameters: number
  readonly aggregate: Aggregator
  /** The two levels in place of it, with `aggregate: regional`. */
  readonly regional: RegionalModel
  readonly evaluate: Evaluator
  readonly deliveries: DeliveryReader
  readonly receipts: ReceiptReader
  readonly chunks: ChunkReader
  readonly start: ModelFile
  /** Discovery: who said that it holds a model. Whether it still does shows when it is asked. */
  readonly holders: Map<string, number[]>
  /** One copy in memory of each model, whoever holds it. */
  readonly models: Map<string, ModelFile>
  readonly changes: () => Changes
  readonly machineOf: (address: Hex) => SimMachine | undefined
  readonly crew: Crew
  draws(purpose: string): Draws
}

export async function openScenarioWorld(
  engine: Engine,
  scenario: Scenario,
  onOpen: (round: Round) => void,
  { data = drawnData(scenario), threads = 0 }: { readonly data?: ScenarioData | undefined; readonly threads?: number },
): Promise<ScenarioWorld> {
  checkScenario(scenario)
  const { seed, workers, keepers, training, model: shape } = scenario
  const draws = (purpose: string): Draws => new Draws(seed, `scenario/${purpose}`)
  const inputs = data.train.inputs.length / data.train.targets.length
  const { classes } = data
  const config: ModelConfig = { kind: 'mlp', inputs, hidden: shape.hidden, activation: 'relu', classes }
  const recipe: TrainingRecipe = { ...training, optimizer: { kind: 'sgd' } }
  const model = modelOf(config)
  const trainer = await localTrainer(engine, model, recipe)
  const evaluate = await prepareEvaluation(engine, model, data.validation, undefined)
  const scheduler = new Scheduler(0)
  const ledger = new Ledger(() => scheduler.nowMs)
  const regions = regionsOf(scenario, draws('regions'))
  const machines = machinesOf(scenario, draws)
  const clusters = formClusters(scenario, regions)
  const groups = Array.from({ length: clusters.count }, (_, cluster) =>
    machines.slice(0, keepers).filter(({ node }) => clusters.clusterOf(node) === cluster),
  )
  const deliveries = new DeliveryReader(trainer.parameters, scenario.compression)
  const start = modelFileOf(initialModelParameters(model, seedOf(seed, 'start')))
  const shares = sharesOf(data.train, workers, scenario.data.partition, seedOf(seed, 'partition'))
  const byAddress = new Map(machines.map((machine) => [machine.address, machine]))
  const reference = drawnRows(data.train, scenario.data.referenceRows)
  const { compression } = scenario
  const { executor } = engine
  const orders: CrewOrders = { config, recipe, compression, classes, executor, shares, firstShare: keepers }
  const dataOf = (share: number): Rows => {
    const rows = shares[share - keepers]
    if (!rows) throw new PotluckError('NO_SHARE', `there is no share ${share}`, { share })
    return rows
  }
  return {
    ...{ scenario, scheduler, clusters, ledger, machines, evaluate, deliveries, start, draws },
    chain: new RoundChain(scheduler, draws('chain'), scenario, clusters, onOpen),
    links: new ShapedLinks(scheduler, draws('links'), scenario.links, regions),
    keepers: machines.slice(0, keepers),
    keepersOf: (node) => groups[clusters.clusterOf(node) ?? 0] ?? [],
    workers: machines.slice(keepers),
    aggregate: createAggregator(scenario, deliveries, trainer, reference),
    regional: createRegionalModel(scenario, deliveries),
    receipts: new ReceiptReader(),
    chunks: new ChunkReader(),
    parameters: trainer.parameters,
    holders: new Map(),
    models: new Map([[start.root, start]]),
    changes: () => new Changes(scheduler),
    machineOf: (address) => byAddress.get(address),
    crew:
      threads > 0
        ? threadCrew(threads, orders)
        : ownCrew({ trainer, reader: deliveries, compression, classes, dataOf }),
  }
}

/** The rows of each share, all in one array that threads share. */
function sharesOf(train: Rows, workers: number, how: Partition, seed: Uint8Array): Rows[] {
  const count = train.targets.length
  const width = train.inputs.length / count
  const parts = partitionRows(train.targets, workers, how, seed)
  const order = new Uint32Array(count)
  let at = 0
  const starts = parts.map((rows) => {
    order.set(rows, at)
    at += rows.length
    return at - rows.length
  })
  const inputs = new Float32Array(new SharedArrayBuffer(4 * at * width))
  const targets = new Int32Array(new SharedArrayBuffer(4 * at))
  order.subarray(0, at).forEach((row, place) => {
    inputs.set(train.inputs.subarray(row * width, (row + 1) * width), place * width)
    targets[place] = train.targets[row] ?? 0
  })
  return parts.map(({ length }, i) => {
    const from = starts[i] ?? 0
    return {
      kind: 'rows',
      inputs: inputs.subarray(width * from, width * (from + length)),
      targets: targets.subarray(from, from + length),
    }
  })
}

const drawnRows = (rows: Rows, count: number): Rows =>
  selectRows(
    rows,
    Uint32Array.from({ length: Math.min(count, rows.targets.length) }, (_, i) => i),
    rows.targets.length,
  ) as Rows

function drawnData({ seed, workers, data }: Scenario): ScenarioData {
  const rows = workers * data.rowsPerWorker
  const all = drawDigits(seed, rows + data.validationRows)
  const from = (start: number, count: number): Rows => ({
    kind: 'rows',
    inputs: all.inputs.subarray(784 * start, 784 * (start + count)),
    targets: all.targets.subarray(start, start + count),
  })
  return { train: from(0, rows), validation: from(rows, data.validationRows), classes: 10 }
}

/** Keepers live in the regions by turns, workers by the regions' parts. */
function regionsOf({ keepers, workers, regions }: Scenario, draws: Draws): Region[] {
  const first = regions[0] as Region
  const ofKeepers = Array.from({ length: keepers }, (_, i) => regions[i % regions.length] ?? first)
  const ofWorkers = Array.from({ length: workers }, () => {
    const at = draws.uniform()
    let sum = 0
    for (const region of regions) {
      sum += region.part
      if (at < sum) return region
    }
    return first
  })
  return [...ofKeepers, ...ofWorkers]
}

function machinesOf(scenario: Scenario, drawsFor: (purpose: string) => Draws): SimMachine[] {
  const { seed, keepers, workers, speed, disk, liars } = scenario
  const draws = drawsFor('machines')
  const liarDraws = drawsFor('liars')
  const order = Array.from({ length: workers }, (_, i) => i)
  for (let i = workers - 1; i > 0; i--) {
    const j = liarDraws.between(0, i)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  const liarOf = new Map<number, Liars>()
  for (const one of liars)
    for (let i = Math.round(one.part * workers); i > 0; i--) liarOf.set(keepers + (order.pop() ?? 0), one)
  return Array.from({ length: keepers + workers }, (_, node) => {
    const secret = seedOf(seed, 'key', node)
    return {
      ...{ node, secret, address: addressOfSecret(secret), disk: new Disk(disk), liar: liarOf.get(node) },
      kind: node < keepers ? 'keeper' : 'worker',
      stepsPerSecond: speed.least + (speed.most - speed.least) * draws.uniform(),
      ...{ process: undefined, training: undefined, startedMs: 0 },
    }
  })
}
