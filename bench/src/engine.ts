/**
 * The exact engine beside PyTorch, onnxruntime and llama.cpp: same weights, same data, same steps, in one run, each in a process of its
 * own. Times are wall times of the fastest step of several alternating runs. `node bench/rivals/install.ts` installs onnxruntime and llama.cpp;
 * PyTorch is Debian's `python3-torch`, with its waiting threads passive, which is twice as fast here as its default. A rival that is absent is said to be, and its rows are left out.
 */

import { inChild, linesInChild } from './engine/inChild.ts'
import type { LlamaGeneration } from './engine/llamaRival.ts'
import type { OwnGeneration } from './engine/ownGeneration.ts'
import type { OwnShakespeare } from './engine/ownShakespeare.ts'
import { curveDistance, type RivalStep } from './engine/RivalStep.ts'
import type { TorchStep } from './engine/torchRival.ts'
import type { TorchShakespeare } from './engine/torchShakespeare.ts'
import type { Row } from './Row.ts'

export const tolerance = 0.25

const STEPS = 12
const ROUNDS = 3
const TOKENS = 100
/** Losses of one recipe in two implementations stay this close over the first steps. */
const SAME_CURVE = 2e-3

type Absent = { readonly absent: string }
const isThere = <T extends object>(found: T | Absent): found is T => !('absent' in found)

type Contender = { readonly name: string; measure(threads: number): Promise<RivalStep | Absent> }

const contenders: readonly Contender[] = [
  { name: 'native', measure: (threads) => inChild('ownStep.ts', 'native', threads, STEPS) },
  { name: 'wasm', measure: (threads) => inChild('ownStep.ts', 'wasm', threads, STEPS) },
  { name: 'torch', measure: (threads) => inChild<TorchStep | Absent>('torchRival.ts', threads, STEPS) },
  {
    name: 'torch-avx512',
    measure: (threads) => inChild<TorchStep | Absent>('torchRival.ts', threads, STEPS, 'avx512'),
  },
  { name: 'onnxruntime', measure: (threads) => inChild('onnxRival.ts', threads, STEPS) },
]

type Table = Map<string, RivalStep>

/** Every contender with one and two threads, in turns; the best of each. */
async function steps(): Promise<Table> {
  const table: Table = new Map()
  for (let round = 0; round < ROUNDS; round++) {
    for (const threads of [1, 2]) {
      for (const { name, measure } of contenders) {
        const found = await measure(threads)
        if (!isThere(found)) {
          if (round === 0 && threads === 1) console.error(`${name}: ${found.absent}`)
          continue
        }
        const key = `${name}.t${threads}`
        const known = table.get(key)
        if (!known || found.msPerStep < known.msPerStep) table.set(key, found)
      }
    }
  }
  return table
}

function stepRows(table: Table): Row[] {
  const rows: Row[] = []
  for (const executor of ['native', 'wasm']) {
    for (const threads of [1, 2]) {
      const own = table.get(`${executor}.t${threads}`) as RivalStep
      const rivals = ['torch', 'onnxruntime', 'torch-avx512'].flatMap((name) => {
        const step = table.get(`${name}.t${threads}`)
        return step ? [{ name, step }] : []
      })
      for (const [i, { name, step }] of rivals.entries()) {
        rows.push({
          what: `step.${executor}.t${threads}${i === 0 ? '' : `.${name}`}`,
          value: own.msPerStep,
          unit: 'ms',
          rival: `${step.version}${name === 'torch-avx512' ? ', AVX-512 BLAS forced' : ''}, ${threads} threads`,
          rivalValue: step.msPerStep,
          ratio: step.msPerStep / own.msPerStep,
        })
      }
    }
    const scaling = (name: string): number | null => {
      const [one, two] = [table.get(`${name}.t1`), table.get(`${name}.t2`)]
      return one && two ? one.msPerStep / two.msPerStep : null
    }
    const [own, torch] = [scaling(executor) as number, scaling('torch')]
    rows.push({
      what: `threads.${executor}`,
      value: own,
      unit: 'times as fast with two threads',
      rival: torch ? 'PyTorch as installed, waiting threads passive' : null,
      rivalValue: torch,
      ratio: torch ? own / torch : null,
    })
  }
  return rows
}

async function memoryRows(table: Table): Promise<Row[]> {
  const MIB = 2 ** 20
  const [own, torch] = [table.get('native.t1') as RivalStep, table.get('torch.t1')]
  const lean = await inChild<RivalStep>('ownStep.ts', 'native', 1, STEPS, 'checkpointing')
  const row = (what: string, { peakRssBytes }: RivalStep): Row => ({
    what,
    value: peakRssBytes / MIB,
    unit: 'MiB beyond what the process held before',
    rival: torch ? 'PyTorch' : null,
    rivalValue: torch ? torch.peakRssBytes / MIB : null,
    ratio: torch ? torch.peakRssBytes / peakRssBytes : null,
  })
  return [row('memory', own), row('memory.checkpointing', lean)]
}

async function shakespeareRows(): Promise<Row[]> {
  const own = await inChild<OwnShakespeare>('ownShakespeare.ts', 1)
  const torch = await inChild<TorchShakespeare | Absent>('torchShakespeare.ts', 1)
  const rows: Row[] = [
    {
      what: 'shakespeare',
      value: own.validLoss,
      unit: 'validation loss after 2,000 iterations',
      rival: 'nanoGPT, as published for this configuration',
      rivalValue: 1.88,
      ratio: 1.88 / own.validLoss,
    },
  ]
  const original = await inChild<OwnShakespeare>('ownShakespeare.ts', 1, 'nanogpt')
  rows.push({
    what: 'shakespeare.nanogpt-rate',
    value: original.validLoss,
    unit: 'the same at nanoGPT’s own learning rate, a third of ours',
    rival: 'nanoGPT, as published for this configuration',
    rivalValue: 1.88,
    ratio: 1.88 / original.validLoss,
  })
  const isTorch = isThere(torch)
  rows.push({
    what: 'shakespeare.seconds',
    value: own.seconds,
    unit: `s, ${own.executor}, one thread`,
    rival: isTorch ? `${torch.version}${torch.isExtrapolated ? ', extrapolated from 50 iterations' : ''}` : null,
    rivalValue: isTorch ? torch.seconds : null,
    ratio: isTorch ? torch.seconds / own.seconds : null,
  })
  return rows
}

async function generateRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const threads of [1, 2]) {
    const own = await inChild<OwnGeneration>('ownGeneration.ts', 'native', threads, TOKENS)
    // The fastest of its four ways to keep keys and values.
    const ways = await linesInChild<LlamaGeneration>('llamaRival.ts', threads, TOKENS).catch(() => [])
    const llama = ways.toSorted((a, b) => b.tokensPerSecond - a.tokensPerSecond)[0]
    if (llama && llama.tokens.join() !== own.tokens.join()) console.error('llama.cpp wrote other tokens than we did')
    rows.push({
      what: threads === 1 ? 'generate' : `generate.t${threads}`,
      value: own.tokensPerSecond,
      unit: 'tokens/s, f32, greedy',
      rival: llama ? `${llama.version}, same GGUF, ${threads} threads` : null,
      rivalValue: llama?.tokensPerSecond ?? null,
      ratio: llama ? own.tokensPerSecond / llama.tokensPerSecond : null,
    })
  }
  return rows
}

export async function run(): Promise<Row[]> {
  const table = await steps()
  const [own] = [table.get('native.t1') as RivalStep]
  for (const [name, step] of table) {
    const distance = curveDistance(own.losses, step.losses)
    if (distance > SAME_CURVE) throw new Error(`${name} trains something else: its losses differ by ${distance}`)
  }
  return [...stepRows(table), ...(await memoryRows(table)), ...(await shakespeareRows()), ...(await generateRows())]
}
