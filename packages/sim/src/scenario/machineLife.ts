import { runKeeper } from './keeper.ts'
import { Process, type ProcessHooks } from './Process.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { runWorker } from './worker.ts'

/** Kills and starts machines; the one place where a process begins or ends. */
export type MachineLife = {
  start(machine: SimMachine): void
  /** Memory is gone, half of what the disk had not synced as well. */
  crash(machine: SimMachine, downMs: number | undefined): void
  /** Counts the time of those that are up at the end. */
  finish(): void
}

export function createMachineLife(world: ScenarioWorld, hooks: Pick<ProcessHooks, 'onAwait'>): MachineLife {
  const { scheduler, ledger, links } = world
  const draws = world.draws('crashes')
  const always = { isAlive: true }
  const all: ProcessHooks = {
    scheduler,
    onAwait: hooks.onAwait,
    onEscape: ({ node }, error) => ledger.broken.push(`node ${node}: ${(error as Error)?.stack ?? String(error)}`),
  }

  const start = (machine: SimMachine): void => {
    if (machine.process?.life.isAlive) return
    const process = new Process(machine.node, all)
    machine.process = process
    machine.startedMs = scheduler.nowMs
    links.attach(process)
    process.spawn(() => (machine.kind === 'keeper' ? runKeeper : runWorker)(world, machine, process))
  }

  /** Time up, and what a training had computed when it was cut off. */
  const count = (machine: SimMachine): void => {
    if (machine.kind === 'worker') ledger.upMs += scheduler.nowMs - machine.startedMs
    const { training } = machine
    machine.training = undefined
    if (!training) return
    const ms = scheduler.nowMs - training.sinceMs
    ledger.trainedMs += ms
    const steps = Math.min(training.steps, Math.floor((ms * machine.stepsPerSecond) / 1_000))
    ledger.stepsComputed += steps
    ledger.stepsCut += steps
  }

  return {
    start,
    crash(machine, downMs) {
      if (!machine.process?.life.isAlive) return
      ledger.crashes++
      count(machine)
      machine.process.kill()
      machine.disk.crash(draws)
      if (downMs !== undefined) scheduler.after(downMs, always, () => start(machine))
    },
    finish() {
      for (const machine of world.machines) if (machine.process?.life.isAlive) count(machine)
    },
  }
}
