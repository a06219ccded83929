import {
  type Engine,
  type Execution,
  initialModelParameters,
  modelOf,
  ProgramBuilder,
  plainProduct,
  RandomStream,
  referenceModel,
  referenceRecipe,
  stateParts,
  stepProgram,
} from '@potluck/engine'

export type MatmulSize = readonly [M: number, K: number, N: number]

/** One shape that fits the caches and one of a transformer's layers. The reference executor is timed on small ones. */
export const matmulSizes: readonly MatmulSize[] = [
  [512, 512, 512],
  [1024, 256, 256],
]
export const smallSizes: readonly MatmulSize[] = [[64, 64, 64]]

export type Clock = () => number

/** Seconds of the fastest run, of at least three and as many as fit into `budgetMs`: others on the machine only ever slow one down. */
export function bestSeconds(run: () => void, clock: Clock, budgetMs = 400): number {
  run()
  const startMs = clock()
  let bestMs = Number.POSITIVE_INFINITY
  for (let runs = 0; runs < 3 || clock() - startMs < budgetMs; runs++) {
    const fromMs = clock()
    run()
    bestMs = Math.min(bestMs, clock() - fromMs)
  }
  return bestMs / 1000
}

const normals = (count: number, step: number): Float32Array => {
  const random = new RandomStream(Uint8Array.of(7), 1, step)
  return Float32Array.from({ length: count }, (_, i) => random.uniform(i) - 0.5)
}

/** Billions of multiplications and additions a second in one matrix product. */
export async function matmulSpeed(
  engine: Engine,
  [M, K, N]: MatmulSize,
  clock: Clock,
  budgetMs?: number,
): Promise<number> {
  const builder = new ProgramBuilder()
  const [a, b] = [builder.input('a', [M, K]), builder.input('b', [K, N])]
  builder.output('y', builder.matmul('y', plainProduct(M, K, N), a, b, [M, N]))
  const execution = await engine.prepare(builder.finish())
  execution.write('a', normals(M * K, 0))
  execution.write('b', normals(K * N, 1))
  return (2 * M * K * N) / bestSeconds(() => execution.run(), clock, budgetMs) / 1e9
}

/** Seconds of one training step of the reference model. */
export async function stepSeconds(engine: Engine, clock: Clock, budgetMs = 2_000): Promise<number> {
  const model = modelOf(referenceModel)
  const execution: Execution = await engine.prepare(stepProgram(model, referenceRecipe))
  execution.write('parameters', initialModelParameters(model, Uint8Array.of(7)))
  for (const { name, values } of model.constants) execution.write(name, values())
  for (const { name, layout } of stateParts(model, referenceRecipe).slice(1)) {
    execution.write(name, new Float32Array(layout.reduce((sum, { size }) => sum + size, 0)))
  }
  const rows = referenceRecipe.batch * referenceModel.context
  const tokens = Int32Array.from(normals(rows, 2), (value) => Math.floor((value + 0.5) * referenceModel.vocabulary))
  execution.write('inputs', tokens)
  execution.write('targets', tokens)
  execution.write('shares', new Float32Array(rows).fill(1 / rows))
  execution.write('rates', Float32Array.of(0, 0, 1, 1))
  return bestSeconds(() => execution.run(), clock, budgetMs)
}
