/** What committing to states costs; `node bench/src/engine/ownOverhead.ts EXECUTOR THREADS` runs it alone. */
import { referenceModel, train } from '@potluck/engine'
import { createLocalEngine } from '@potluck/runtime'
import { referenceStep } from './referenceStep.ts'

const EVERY = 25
const SEGMENTS = 3

export type OwnOverhead = {
  /** Hashing as a part of all time. */
  readonly overhead: number
  readonly msPerState: number
  readonly msPerStep: number
}

/** Trains the reference model with a state root every 25 steps over 1 KiB leaves of parameters and both moments. */
export async function ownOverhead(executor: 'native' | 'wasm', threads: number): Promise<OwnOverhead> {
  const engine = await createLocalEngine({ executor, threads })
  const { recipe, parameters, tokens, seed } = referenceStep(EVERY * SEGMENTS)
  const plain: number[] = []
  const hashed: number[] = []
  let startedMs = performance.now()
  const options = {
    config: referenceModel,
    recipe: { ...recipe, stateEverySteps: EVERY },
    data: { kind: 'tokens', tokens } as const,
    seed,
    parameters,
  }
  for await (const { step, stateRoot } of train(engine, options)) {
    const ms = performance.now() - startedMs
    // The first step has the set-up in it.
    if (step > 1) (stateRoot ? hashed : plain).push(ms)
    startedMs = performance.now()
  }
  await engine.close()
  const median = (times: number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] as number
  const msPerStep = median(plain)
  const msPerState = median(hashed) - msPerStep
  return { overhead: msPerState / (EVERY * msPerStep + msPerState), msPerState, msPerStep }
}

if (import.meta.main) {
  const [executor, threads = '1'] = process.argv.slice(2)
  console.log(JSON.stringify(await ownOverhead(executor === 'wasm' ? 'wasm' : 'native', Number(threads))))
}
