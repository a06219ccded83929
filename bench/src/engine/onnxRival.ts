/** The reference step in onnxruntime; `node bench/src/engine/onnxRival.ts [threads] [steps]` runs it alone. */
import { cpuUsage } from 'node:process'
import { referenceModel } from '@potluck/engine'
import { loadOnnxRuntime, type OnnxRuntime, type OnnxTensor, openSession } from './OnnxRuntime.ts'
import { halvedColumns, onnxStepGraph } from './onnxStepGraph.ts'
import { type RivalStep, summary } from './RivalStep.ts'
import { type ReferenceStep, referenceStep } from './referenceStep.ts'

const WARM_UP = 2

/**
 * Trains the reference model for so many steps after two of warm-up, parameters and moments going out and in again each step
 * (two sets of buffers in turn, nothing allocated).
 *
 * @throws Error with what to do when onnxruntime-node is not installed
 */
export async function onnxRival({ threads, steps }: { threads: number; steps: number }): Promise<RivalStep> {
  const runtime = await loadOnnxRuntime()
  const reference = referenceStep(steps + WARM_UP)
  const { model, recipe, rates } = reference
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8 } = recipe.optimizer.kind === 'adamw' ? recipe.optimizer : {}
  const file = onnxStepGraph(referenceModel, recipe.batch, model.parameters, { beta1, beta2 })
  const before = process.memoryUsage.rss()
  const session = await openSession(runtime, file, threads)
  let [now, next] = [stateTensors(runtime, reference), emptyTensors(runtime, reference)]
  const losses: number[] = []
  const walls: number[] = []
  const cpus: number[] = []
  for (const [step, [rate, decay, c1, c2]] of rates.entries() as Iterable<[number, Float32Array & number[]]>) {
    const { inputs, targets } = reference.batch(step)
    const indices = (values: Int32Array): OnnxTensor =>
      new runtime.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
    const number = (value: number): OnnxTensor => new runtime.Tensor('float32', Float32Array.of(value), [])
    const feeds = {
      ...now,
      tokens: indices(inputs),
      targets: indices(targets),
      keep: number(1 - decay!),
      stride: number((rate! * c1!) / Math.sqrt(c2!)),
      floor: number(epsilon / Math.sqrt(c2!)),
    }
    const fetches = Object.fromEntries(Object.entries(next).map(([name, tensor]) => [`${name}.next`, tensor]))
    const [startedMs, startedCpu] = [performance.now(), cpuUsage()]
    const results = await session.run(feeds, { ...fetches, loss: null })
    const cpu = cpuUsage(startedCpu)
    if (step >= WARM_UP) {
      walls.push(performance.now() - startedMs)
      cpus.push((cpu.user + cpu.system) / 1000)
    }
    losses.push((results.loss!.data as Float32Array)[0]!)
    ;[now, next] = [next, now]
  }
  const peakRssBytes = process.resourceUsage().maxRSS * 1024 - before
  await session.release()
  const version = `onnxruntime ${runtime.env.versions.node ?? runtime.env.versions.common}`
  return summary({ walls, cpus, losses, version, peakRssBytes })
}

/** The parameters with the columns of queries and keys in the graph's order, and moments at zero. */
function stateTensors(runtime: OnnxRuntime, { model, parameters }: ReferenceStep): Record<string, OnnxTensor> {
  const { width, heads } = referenceModel
  const tensors: Record<string, OnnxTensor> = {}
  for (const { name, shape, offset, size } of model.parameters) {
    const part = parameters.slice(offset, offset + size)
    const values = /attention\.(query|key)$/.test(name) ? halvedColumns(part, width, heads) : part
    tensors[`${name}.w`] = new runtime.Tensor('float32', values, shape)
    for (const moment of ['m', 'v']) tensors[`${name}.${moment}`] = zeros(runtime, size, shape)
  }
  return tensors
}

const emptyTensors = (runtime: OnnxRuntime, { model }: ReferenceStep): Record<string, OnnxTensor> =>
  Object.fromEntries(
    model.parameters.flatMap(({ name, size, shape }) =>
      ['w', 'm', 'v'].map((part) => [`${name}.${part}`, zeros(runtime, size, shape)]),
    ),
  )

const zeros = (runtime: OnnxRuntime, size: number, shape: readonly number[]): OnnxTensor =>
  new runtime.Tensor('float32', new Float32Array(size), shape)

if (import.meta.main) {
  const [threads = 1, steps = 5] = process.argv.slice(2).map(Number)
  console.log(JSON.stringify(await onnxRival({ threads, steps })))
}
