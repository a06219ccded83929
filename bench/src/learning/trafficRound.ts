import { performance } from 'node:perf_hooks'
import { type Engine, initialModelParameters, modelOf, trainToEnd } from '@potluck/engine'
import {
  CHUNK,
  compressUpdate,
  decodeUpdate,
  feedbackHash,
  openUpdateMessage,
  writeUpdateMessage,
} from '@potluck/learning'
import { addressOfSecret, PotluckError, recoverSigner, sha256, signDigest, utf8 } from '@potluck/protocol'
import { imageRows, readImages, shuffledNumbers } from './benchData.ts'

/** 1,068,810 parameters. */
export const roundConfig = { kind: 'mlp', inputs: 784, hidden: [1024, 256], activation: 'relu', classes: 10 } as const
export const roundCompression = { kind: 'topk', keep: 64, feedback: 4 } as const

const ROUNDS = 3
const REPEATS = 7

export type RoundTraffic = {
  readonly parameters: number
  /** Of the last of three rounds, framed and signed. */
  readonly messageBytes: number
  /** The same indices in other codes, with two bits a value, two halves a chunk and the same frame. */
  readonly otherBytes: { readonly raw: number; readonly rice: number; readonly numbered: number }
  /** Megabytes of f32 a second of CPU time: the best of seven. */
  readonly encodeMbPerS: number
  readonly decodeMbPerS: number
}

/** Three rounds of a worker on real rows, 20 steps of AdamW each, with what is left over carried on; the last is measured. */
export async function measureRound(engine: Engine): Promise<RoundTraffic> {
  const data = imageRows(readImages('mnist.train'), shuffledNumbers(60_000, 1).subarray(0, 4000))
  const recipe = { steps: 20, batch: 32, optimizer: { kind: 'adamw' }, learningRate: 0.001 } as const
  let parameters = initialModelParameters(modelOf(roundConfig), sha256(utf8('traffic')))
  let [delta, before] = [new Float32Array(0), undefined as Float32Array | undefined]
  let packed = null as ReturnType<typeof compressUpdate> | null
  for (let round = 1; round <= ROUNDS; round++) {
    const seed = sha256(utf8(`traffic round ${round}`))
    const trained = await trainToEnd(engine, { config: roundConfig, recipe, data, seed, parameters })
    const base = parameters
    delta = base.map((value, i) => value - trained.parameters[i]!)
    before = packed?.residual
    packed = compressUpdate(delta, before, roundCompression)
    const { update } = packed
    parameters = base.map((value, i) => value - update[i]!)
  }
  const { bytes, update, residual } = packed!
  const { length } = delta
  const secret = sha256(utf8('worker'))
  const base = sha256(utf8('model'))
  const header = {
    job: 1,
    round: ROUNDS,
    base,
    client: addressOfSecret(secret),
    length,
    feedback: feedbackHash(residual, roundCompression),
  }
  const message = writeUpdateMessage(header, bytes, (digest) => signDigest(digest, secret))
  const opened = openUpdateMessage(message, { ...header, compression: roundCompression }, recoverSigner)
  if (!opened.update.every((value, i) => value === update[i]))
    throw new PotluckError('BENCH_WRONG', 'the message does not bring the update')
  const frame = message.length - bytes.length
  const other = otherCodes(update)
  const speed = (run: () => unknown): number => (4 * length) / 1e6 / bestSeconds(run)
  return {
    parameters: length,
    messageBytes: message.length,
    otherBytes: { raw: frame + other.raw, rice: frame + other.rice, numbered: frame + other.numbered },
    encodeMbPerS: speed(() => compressUpdate(delta, before, roundCompression)),
    decodeMbPerS: speed(() => decodeUpdate(bytes, length, roundCompression)),
  }
}

/** CPU time, since wall time would measure the neighbours too. */
function bestSeconds(run: () => unknown): number {
  const times = Array.from({ length: REPEATS }, () => {
    const [start, began] = [process.cpuUsage(), performance.now()]
    run()
    const { user, system } = process.cpuUsage(start)
    // Garbage of earlier runs may be collected on another thread meanwhile: never count less than nothing, nor more than the clock.
    return Math.min((user + system) / 1e6, (performance.now() - began) / 1e3)
  })
  return Math.min(...times)
}

/** Bytes of the same update with 12-bit indices, with the best Rice code of the gaps, and with each chunk's subset numbered. */
function otherCodes(update: Float32Array): { raw: number; rice: number; numbered: number } {
  let [raw, rice, numbered] = [0, 0, 0]
  for (let start = 0; start < update.length; start += CHUNK) {
    const chunk = update.subarray(start, start + CHUNK)
    const gaps: number[] = []
    let last = -1
    chunk.forEach((value, i) => {
      if (value === 0) return
      gaps.push(i - last - 1)
      last = i
    })
    // Two halves for the scales, and sign and level of each value.
    const rest = 32 + 2 * gaps.length
    const riceBits = (k: number): number => gaps.reduce((sum, gap) => sum + 1 + k + (gap >> k), 4)
    raw += rest + 12 * gaps.length
    rice += rest + Math.min(...Array.from({ length: 12 }, (_, k) => riceBits(k)))
    numbered += rest + log2Choose(chunk.length, gaps.length)
  }
  const bytes = (bits: number): number => Math.ceil(bits / 8)
  return { raw: bytes(raw), rice: bytes(rice), numbered: bytes(numbered) }
}

function log2Choose(n: number, k: number): number {
  let bits = 0
  for (let i = 0; i < k; i++) bits += Math.log2((n - i) / (i + 1))
  return bits
}
