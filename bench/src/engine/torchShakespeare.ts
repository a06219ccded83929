/** nanoGPT's small model in PyTorch; `node bench/src/engine/torchShakespeare.ts [threads] [--full]` runs it alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { littleEndianBytes, shakespeareModel, shakespeareRecipe, vocabularyOf } from '@potluck/engine'
import { shakespeare } from './referenceStep.ts'
import { blasHint, runPython } from './runPython.ts'
import { torchEnvironment } from './torchRival.ts'

/** Enough for a steady rate: less than two seconds. */
const SAMPLE_STEPS = 50

export type TorchShakespeare = {
  readonly version: string
  readonly blas: string
  /** What to do when that library makes the comparison unfair; else null. */
  readonly hint: string | null
  /** Time of the whole recipe, evaluation left out; of 50 steps times 40 where `isExtrapolated`. */
  readonly seconds: number
  readonly cpuSeconds: number
  readonly isExtrapolated: boolean
  /** Loss on the last tenth of the text, every window once; null where the recipe was not run to its end. */
  readonly validLoss: number | null
}

/**
 * Trains nanoGPT's CPU model on Shakespeare's characters in PyTorch by the same recipe as ours (its own random start and batches). `absent` says how
 * to get PyTorch.
 *
 * @param isFull all 2,000 steps instead of 50
 */
export async function torchShakespeare({
  threads,
  isFull = false,
}: {
  threads: number
  isFull?: boolean
}): Promise<TorchShakespeare | { absent: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-torch-'))
  try {
    const text = new TextDecoder().decode(shakespeare())
    const places = new Map([...vocabularyOf(text)].map((character, token) => [character, token]))
    const tokens = Int32Array.from([...text], (character) => places.get(character)!)
    const cut = Math.floor(tokens.length * 0.9)
    const plan = { config: shakespeareModel, recipe: { ...shakespeareRecipe, ...shakespeareRecipe.optimizer } }
    writeFileSync(join(folder, 'train.i32'), littleEndianBytes(tokens.slice(0, cut)))
    writeFileSync(join(folder, 'valid.i32'), littleEndianBytes(tokens.slice(cut)))
    writeFileSync(join(folder, 'shakespeare.json'), JSON.stringify(plan))
    const steps = isFull ? shakespeareRecipe.steps : SAMPLE_STEPS
    const args = ['shakespeare', folder, String(threads), String(steps)]
    const result = await runPython(args, torchEnvironment(threads, false))
    if ('absent' in result) return result
    const measured = JSON.parse(result.line) as TorchShakespeare
    const factor = shakespeareRecipe.steps / steps
    return {
      version: `PyTorch ${measured.version}`,
      blas: measured.blas,
      hint: blasHint(measured.blas),
      seconds: measured.seconds * factor,
      cpuSeconds: measured.cpuSeconds * factor,
      isExtrapolated: !isFull,
      validLoss: measured.validLoss,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const isFull = process.argv.includes('--full')
  const threads = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 1)
  console.log(JSON.stringify(await torchShakespeare({ threads, isFull })))
}
