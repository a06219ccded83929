/** The reference step in our own engine; `node bench/src/engine/ownStep.ts EXECUTOR THREADS STEPS [checkpointing]` runs it alone. */
import { cpuUsage } from 'node:process'
import { referenceModel, train } from '@potluck/engine'
import { createLocalEngine } from '@potluck/runtime'
import { type RivalStep, summary } from './RivalStep.ts'
import { referenceStep } from './referenceStep.ts'

const WARM_UP = 2

export type OwnOptions = {
  readonly executor: 'native' | 'wasm'
  readonly threads: number
  readonly steps: number
  readonly checkpointing?: boolean
}

/** Trains the reference model for so many steps after two of warm-up. Run it in a process of its own: it measures that process's memory. */
export async function ownStep({ executor, threads, steps, checkpointing = false }: OwnOptions): Promise<RivalStep> {
  const engine = await createLocalEngine({ executor, threads })
  const { recipe, parameters, tokens, seed } = referenceStep(steps + WARM_UP)
  const data = { kind: 'tokens', tokens } as const
  const before = process.memoryUsage.rss()
  const losses: number[] = []
  const walls: number[] = []
  const cpus: number[] = []
  let [startedMs, startedCpu] = [performance.now(), cpuUsage()]
  const options = { config: referenceModel, recipe: { ...recipe, checkpointing }, data, seed, parameters }
  // The last step also hashes the state; it is left out of the times.
  for await (const { step, loss } of train(engine, options)) {
    const cpu = cpuUsage(startedCpu)
    if (step > WARM_UP && step < steps + WARM_UP) {
      walls.push(performance.now() - startedMs)
      cpus.push((cpu.user + cpu.system) / 1000)
    }
    losses.push(loss)
    ;[startedMs, startedCpu] = [performance.now(), cpuUsage()]
  }
  await engine.close()
  const peakRssBytes = process.resourceUsage().maxRSS * 1024 - before
  return summary({ walls, cpus, losses, version: `Potluck, ${executor}`, peakRssBytes })
}

if (import.meta.main) {
  const [executor, threads, steps, checkpointing] = process.argv.slice(2)
  const measured = await ownStep({
    executor: executor === 'wasm' ? 'wasm' : 'native',
    threads: Number(threads ?? 1),
    steps: Number(steps ?? 10),
    checkpointing: checkpointing === 'checkpointing',
  })
  console.log(JSON.stringify(measured))
}
