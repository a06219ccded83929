/** The reference step in PyTorch; `node bench/src/engine/torchRival.ts [threads] [steps] [avx512]` runs it alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { littleEndianBytes, referenceModel } from '@potluck/engine'
import { float32Tensor } from '../../../packages/engine/src/formats/FileTensor.ts'
import { writeSafetensors } from '../../../packages/engine/src/formats/safetensors/writeSafetensors.ts'
import { halvedColumns } from './onnxStepGraph.ts'
import type { RivalStep } from './RivalStep.ts'
import { referenceStep } from './referenceStep.ts'
import { blasHint, runPython } from './runPython.ts'

const WARM_UP = 2

export type TorchOptions = {
  readonly threads: number
  readonly steps: number
  /** Makes OpenBLAS take its AVX-512 kernels; by itself it takes AVX2 ones on processors it does not know. */
  readonly forceAvx512?: boolean
}

export type TorchStep = RivalStep & {
  /** The library that computed the products, and its kernels. */
  readonly blas: string
  /** What to do when that library makes the comparison unfair; else null. */
  readonly hint: string | null
}

/** Trains the reference model in PyTorch as Debian ships it: same weights, batches and AdamW. `absent` says how to get it. */
export async function torchRival({
  threads,
  steps,
  forceAvx512 = false,
}: TorchOptions): Promise<TorchStep | { absent: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-torch-'))
  try {
    writePlan(folder, steps)
    const result = await runPython(
      ['step', folder, String(threads), String(steps)],
      torchEnvironment(threads, forceAvx512),
    )
    if ('absent' in result) return result
    const measured = JSON.parse(result.line) as TorchStep
    return { ...measured, version: `PyTorch ${measured.version}`, hint: blasHint(measured.blas) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const torchEnvironment = (threads: number, forceAvx512: boolean): Record<string, string> => ({
  OMP_NUM_THREADS: String(threads),
  OPENBLAS_NUM_THREADS: String(threads),
  // OpenMP and OpenBLAS have a pool each. By default the one that waits spins and takes the other's core: two threads were slower than one.
  OMP_WAIT_POLICY: 'PASSIVE',
  ...(forceAvx512 ? { OPENBLAS_CORETYPE: 'SkylakeX' } : {}),
})

/** Weights, batches and recipe, for `torch_step.py`. */
function writePlan(folder: string, steps: number): void {
  const { model, recipe, parameters, batch } = referenceStep(steps + WARM_UP)
  const { width, heads } = referenceModel
  const tensors = model.parameters.map(({ name, shape, offset, size }) => {
    const values = parameters.slice(offset, offset + size)
    return float32Tensor(
      name,
      shape,
      /attention\.(query|key)$/.test(name) ? halvedColumns(values, width, heads) : values,
    )
  })
  const batches = Array.from({ length: steps + WARM_UP }, (_, step) => batch(step))
  const put = (name: string, data: Uint8Array | string): void => writeFileSync(join(folder, name), data)
  put('weights.safetensors', writeSafetensors(tensors))
  put('inputs.i32', littleEndianBytes(...batches.map(({ inputs }) => inputs)))
  put('targets.i32', littleEndianBytes(...batches.map(({ targets }) => targets)))
  put(
    'step.json',
    JSON.stringify({ config: referenceModel, recipe: { ...recipe, ...recipe.optimizer }, warmUp: WARM_UP }),
  )
}

if (import.meta.main) {
  const [threads = 1, steps = 5] = process.argv.slice(2).map(Number)
  console.log(JSON.stringify(await torchRival({ threads, steps, forceAvx512: process.argv[4] === 'avx512' })))
}
