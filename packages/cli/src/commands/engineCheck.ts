import { engineVectors } from '@potluck/engine'
import { type ComputeVectors, type EngineVerdict, goldenVectors, isExact, judgeEngine } from '@potluck/runtime'
import { allEngines } from '../training/openEngine.ts'
import type { Printed } from './printed.ts'

/** Whether this machine computes what everybody computes, on every executor and number of threads it has. */
export async function engineCheck(compute: ComputeVectors = engineVectors): Promise<Printed> {
  const golden = goldenVectors()
  const verdicts: EngineVerdict[] = []
  for (const open of allEngines('every')) {
    const engine = await open()
    try {
      verdicts.push(await judgeEngine(engine, golden, compute))
    } finally {
      await engine.close()
    }
  }
  return printedVerdict(verdicts)
}

/** The answer of the command: all verdicts, and whether this machine may take exact jobs. */
export function printedVerdict(verdicts: readonly EngineVerdict[]): Printed {
  const mayTake = verdicts.every(isExact)
  return {
    value: { exact: mayTake, executors: verdicts },
    lines: [
      ...verdicts.flatMap(verdictLines),
      mayTake
        ? 'this machine computes what everybody computes: it may take exact jobs'
        : 'this machine must not take exact jobs: what it computes differs. Update Potluck, try --executor wasm, and report the lines above',
    ],
    failed: !mayTake,
  }
}

const MOST_SHOWN = 10

function verdictLines({ executor, threads, values, differences, error }: EngineVerdict): string[] {
  const name = `${executor}, ${threads} thread${threads > 1 ? 's' : ''}`
  if (error !== null) return [`${name}: stopped: ${error}`]
  if (differences.length === 0) return [`${name}: ${values} values, all as they must be`]
  return [
    `${name}: ${differences.length} of ${values} values differ`,
    ...differences
      .slice(0, MOST_SHOWN)
      .map(({ path, expected, seen }) => `  ${path}: expected ${expected}, got ${seen}`),
    ...(differences.length > MOST_SHOWN ? [`  and ${differences.length - MOST_SHOWN} more`] : []),
  ]
}
