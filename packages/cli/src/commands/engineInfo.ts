import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Engine } from '@potluck/engine'
import { nameOfEngine } from '@potluck/runtime'
import { table } from '../demo/Screen.ts'
import { availableBytes, shownBytes } from '../training/memoryLimit.ts'
import { allEngines, describeNative } from '../training/openEngine.ts'
import { matmulSizes, matmulSpeed, smallSizes, stepSeconds } from './engineSpeed.ts'
import type { Printed } from './printed.ts'

export type EngineSpeed = {
  readonly executor: string
  readonly threads: number
  /** Matrix products by shape, in GFLOP a second. */
  readonly gflops: Readonly<Record<string, number>>
  /** The fastest product over the machine's peak. */
  readonly share: number
  /** One training step of the reference model; null where not asked for or too slow. */
  readonly stepSeconds: number | null
}

/** Instruction sets that matter here, of those a processor names. */
export function featuresIn(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? ''
  const has = new Set(line.split(' '))
  return ['sse4_1', 'avx', 'avx2', 'fma', 'avx512f', 'avx512vl', 'asimd', 'sha_ni', 'sha2'].filter((name) =>
    has.has(name),
  )
}

function cpuFeatures(): string[] {
  try {
    return featuresIn(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    // Not Linux: nothing says so in a file.
    return []
  }
}

/** Which executors this machine has, how fast each is, and what it is compared with. */
export async function engineInfo(options: { step: boolean }): Promise<Printed> {
  const native = describeNative()
  const speeds = await measureAll(options.step)
  const peak = Math.max(...speeds.flatMap(({ gflops }) => Object.values(gflops)))
  const executors = speeds.map((speed) => ({ ...speed, share: Math.max(...Object.values(speed.gflops)) / peak }))
  const cpu = { model: cpus()[0]?.model.trim() ?? 'unknown', threads: availableParallelism(), features: cpuFeatures() }
  const memory = { totalBytes: totalmem(), availableBytes: availableBytes() }
  const value = { cpu, memory, native, peak: { gflops: peak, how: 'fastest matrix product measured' }, executors }
  return { value, lines: infoLines(value) }
}

async function measureAll(withStep: boolean): Promise<EngineSpeed[]> {
  const speeds: EngineSpeed[] = []
  for (const open of allEngines('best')) {
    const engine = await open()
    try {
      speeds.push(await measure(engine, withStep))
    } finally {
      await engine.close()
    }
  }
  return speeds
}

async function measure(engine: Engine, withStep: boolean): Promise<EngineSpeed> {
  const clock = (): number => performance.now()
  const isSlow = engine.executor === 'reference'
  const gflops: Record<string, number> = {}
  for (const size of isSlow ? smallSizes : matmulSizes) gflops[size.join('x')] = await matmulSpeed(engine, size, clock)
  const step = withStep && !isSlow ? await stepSeconds(engine, clock) : null
  return { executor: nameOfEngine(engine), threads: engine.threads, gflops, share: 1, stepSeconds: step }
}

type Info = {
  cpu: { model: string; threads: number; features: string[] }
  memory: { totalBytes: number; availableBytes: number }
  native: ReturnType<typeof describeNative>
  peak: { gflops: number; how: string }
  executors: EngineSpeed[]
}

function infoLines({ cpu, memory, native, peak, executors }: Info): string[] {
  const products = (gflops: Readonly<Record<string, number>>): string =>
    Object.entries(gflops)
      .map(([size, speed]) => `${size} ${speed.toFixed(speed < 1 ? 3 : 1)}`)
      .join(', ')
  const hasStep = executors.some((one) => one.stepSeconds !== null)
  const rows = executors.map((one) => [
    one.executor,
    String(one.threads),
    products(one.gflops),
    `${(100 * one.share).toFixed(1)} %`,
    ...(hasStep ? [one.stepSeconds === null ? '–' : `${(1000 * one.stepSeconds).toFixed(0)} ms`] : []),
  ])
  return [
    `processor  ${cpu.model}, ${cpu.threads} threads${cpu.features.length > 0 ? `, ${cpu.features.join(' ')}` : ''}`,
    `memory     ${shownBytes(memory.totalBytes)}, ${shownBytes(memory.availableBytes)} free`,
    native
      ? `native     level ${native.level}, built by ${native.compiler}, SHA-256 by ${native.sha}`
      : 'native     not here: install a C compiler and `npm rebuild`; WebAssembly runs meanwhile, with the same bits',
    `peak       ${peak.gflops.toFixed(1)} GFLOP/s: the ${peak.how}`,
    '',
    ...table([
      ['executor', 'threads', 'matrix products in GFLOP/s', 'of the peak', ...(hasStep ? ['a training step'] : [])],
      ...rows,
    ]),
  ].map((line) => line.trimEnd())
}
