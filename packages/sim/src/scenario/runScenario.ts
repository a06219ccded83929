/**
 * A network of learners in one process: real training, compression, signatures, chunk proofs and rules; simulated time, links and disks.
 * A run follows from its scenario and seed, event by event.
 */
import type { Engine } from '@potluck/engine'
import { createMachineLife } from './machineLife.ts'
import type { Process } from './Process.ts'
import type { Round } from './RoundChain.ts'
import type { Scenario } from './Scenario.ts'
import { type RoundReport, reportRound, reportRun, type ScenarioReport } from './ScenarioReport.ts'
import { openScenarioWorld, type ScenarioData, type ScenarioWorld } from './ScenarioWorld.ts'
import { createFaults } from './scenarioFaults.ts'
import { Watchdog } from './Watchdog.ts'

export type RunOptions = {
  readonly engine: Engine
  readonly scenario: Scenario
  /** Threads beside this one that train, compress and sign; the same bits with any number. Default none. */
  readonly threads?: number | undefined
  /** In place of drawn digits. */
  readonly data?: ScenarioData | undefined
  /** Real time, for the limit on it; without it there is none. */
  readonly realNowMs?: (() => number) | undefined
  readonly onRound?: ((round: RoundReport) => void) | undefined
  /** Kills a machine right before one of its awaits; it comes back after `downMs`, 1,500 unless given. */
  readonly crashAt?: { readonly node: number; readonly count: number; readonly downMs?: number } | undefined
  /** Called before time runs: to plant what the checks and the watchdog must notice. */
  readonly prepare?: ((world: ScenarioWorld) => void) | undefined
}

const PLANTED_DOWN_MS = 1_500

/**
 * Runs a scenario to its last model and judges it: `broken` lists what should never happen and did.
 *
 * @throws PotluckError BAD_SCENARIO; STUCK with who waits for what, and the seed
 */
export async function runScenario(options: RunOptions): Promise<ScenarioReport> {
  const { engine, scenario, data, threads = 0 } = options
  let faults = (_round: Round): void => undefined
  const world = await openScenarioWorld(engine, scenario, (round) => openRound(world, round, () => faults(round)), {
    data,
    threads,
  })
  try {
    return await runWorld(world, options, (set) => {
      faults = set
    })
  } finally {
    await world.crew.close()
  }
}

async function runWorld(
  world: ScenarioWorld,
  { scenario, realNowMs = () => 0, onRound, crashAt, prepare }: RunOptions,
  useFaults: (faults: (round: Round) => void) => void,
): Promise<ScenarioReport> {
  const { scheduler, chain } = world
  let awaits = 0
  const life = createMachineLife(world, {
    onAwait: (process: Process) => {
      if (crashAt?.node !== process.node || awaits++ !== crashAt.count) return
      const machine = world.machines[process.node]
      if (machine) life.crash(machine, crashAt.downMs ?? PLANTED_DOWN_MS)
    },
  })
  useFaults(createFaults(world, life))
  prepare?.(world)
  for (const machine of world.machines.slice(0, world.machines.length - scenario.churn.late)) life.start(machine)

  const watchdog = new Watchdog(world, realNowMs)
  const rounds: RoundReport[] = []
  const finished = (): Round | undefined => {
    const next = chain.roundAt(rounds.length + 1)
    return next?.root === undefined ? undefined : next
  }
  for (;;) {
    const isOver = await scheduler.run(Number.POSITIVE_INFINITY, () => {
      watchdog.look()
      return chain.isDone || finished() !== undefined
    })
    for (let round = finished(); round; round = finished()) {
      const report = await reportRound(world, round)
      rounds.push(report)
      onRound?.(report)
    }
    if (chain.isDone) break
    if (!isOver) throw watchdog.stuck('no event is left')
  }
  await settleKeepers(world)
  life.finish()
  return reportRun(world, rounds)
}

/** A model that no open round starts from needs no place in memory. */
function openRound(world: ScenarioWorld, { baseRoot, previousRoot }: Round, next: () => void): void {
  for (const root of world.models.keys()) if (root !== baseRoot && root !== previousRoot) world.models.delete(root)
  next()
}

/** The others get as far as they can with the last round, so that their bits are compared as well. */
async function settleKeepers({ scheduler, ledger, scenario, keepers, chain }: ScenarioWorld): Promise<void> {
  const untilMs = scheduler.nowMs + 30_000
  const roots = (): number => ledger.roots.get(scenario.rounds)?.size ?? 0
  // What was accepted gets its place in the order, be it behind the last model.
  const isPlaced = (): boolean =>
    !chain.order || [...ledger.accepted.keys()].every((id) => chain.order?.placeOf.has(id))
  await scheduler.run(untilMs, () => roots() === keepers.length && isPlaced())
}
