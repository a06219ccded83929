import type { MachineLife } from './machineLife.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld } from './ScenarioWorld.ts'

/** What goes wrong in a round, set up when it opens. */
export function createFaults(world: ScenarioWorld, life: MachineLife): (round: Round) => void {
  const { scenario, scheduler, ledger, workers, keepers, links } = world
  const { churn, crashes, partitions } = scenario
  const draws = world.draws('faults')
  const always = { isAlive: true }
  const waiting = workers.slice(workers.length - churn.late)
  const usualMs = (): number => {
    const before = world.chain.rounds.at(-2)
    return before ? before.closedMs - before.openedMs : (1_500 * scenario.training.steps) / scenario.speed.most
  }
  const later = (ms: number, run: () => void): void => scheduler.after(ms, always, run)

  return (round) => {
    const roundMs = Math.ceil(usualMs())
    const up = workers.filter(({ process }) => process?.life.isAlive)
    for (const machine of up) {
      if (crashes.workerPart > 0 && draws.happens(crashes.workerPart))
        later(draws.between(0, roundMs), () => life.crash(machine, crashes.downMs))
    }
    if (crashes.keepers && keepers.length > 1) {
      const keeper = keepers[round.number % keepers.length]
      if (keeper) later(draws.between(0, roundMs), () => life.crash(keeper, crashes.downMs))
    }
    for (const machine of up) {
      if (churn.leavePart === 0 || !draws.happens(churn.leavePart)) continue
      later(draws.between(0, roundMs), () => {
        ledger.leaves++
        life.crash(machine, undefined)
      })
    }
    for (const machine of round.number > 1 ? waiting.splice(0, churn.joinPerRound) : []) {
      later(draws.between(0, roundMs), () => {
        ledger.joins++
        life.start(machine)
      })
    }
    for (const { region, afterMs, forMs } of partitions.filter((one) => one.round === round.number)) {
      later(afterMs, () => {
        ledger.tell(`${region} is cut off`)
        links.cut(region, true)
      })
      later(afterMs + forMs, () => {
        ledger.tell(`${region} is back`)
        links.cut(region, false)
      })
    }
  }
}
