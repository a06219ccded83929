/**
 * The real data that benchmarks train on. Its folder is POTLUCK_DATA, else `../shared/data` beside the checkout; a file counts as
 * the right one by the SHA-256 of its unpacked bytes, so that any gzip of it will do.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

const checkout = new URL('../../../', import.meta.url)

const mnist = 'LeCun, Cortes, Burges: MNIST'
const fashion = 'github.com/zalandoresearch/fashion-mnist, data/fashion'
const files = {
  'mnist/train-images-idx3-ubyte': [mnist, 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
  'mnist/train-labels-idx1-ubyte': [mnist, '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
  'mnist/t10k-images-idx3-ubyte': [mnist, '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
  'mnist/t10k-labels-idx1-ubyte': [mnist, 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
  'fashion-mnist-train/train-images-idx3-ubyte': [
    fashion,
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  ],
  'fashion-mnist-train/train-labels-idx1-ubyte': [
    fashion,
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  ],
  'adult-income/adult.data': [
    'UCI Machine Learning Repository: Adult, CC BY 4.0',
    'df25a4e32ed6f1bd4b3910d21a7bd661a09061eced7cb45555a519d9667cc87b',
  ],
  'tinyshakespeare/input.txt': [
    'github.com/karpathy/char-rnn, data/tinyshakespeare',
    '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
  ],
} as const satisfies Record<string, readonly [source: string, sha256: string]>

export type BenchFile = keyof typeof files

/** Where the data lies: POTLUCK_DATA, or the folder beside the checkout. */
export function benchDataFolder(): URL {
  const named = process.env.POTLUCK_DATA
  return named === undefined ? new URL('../shared/data/', checkout) : pathToFileURL(`${named}/`)
}

/**
 * The unpacked bytes of a file, which may lie there as it is or with `.gz`.
 *
 * @throws PotluckError NO_BENCH_DATA when it is missing, BAD_BENCH_DATA when it is another one
 */
export function readBenchFile(file: BenchFile): Uint8Array {
  const [source, hash] = files[file]
  // What the project brings along needs no download.
  const folders = [benchDataFolder(), new URL('data/', checkout)]
  const found = folders
    .flatMap((folder) => [new URL(file, folder), new URL(`${file}.gz`, folder)])
    .find((path) => existsSync(path))
  if (!found) {
    const path = new URL(file, folders[0]).pathname
    throw new PotluckError(
      'NO_BENCH_DATA',
      `${path}(.gz) is missing: fetch it (${source}; SHA-256 unpacked ${hash}) and name the folder above it in POTLUCK_DATA`,
      { file, source, sha256: hash },
    )
  }
  const packed = readFileSync(found)
  const bytes = found.pathname.endsWith('.gz') ? new Uint8Array(gunzipSync(packed)) : new Uint8Array(packed)
  const seen = createHash('sha256').update(bytes).digest('hex')
  if (seen !== hash) {
    throw new PotluckError('BAD_BENCH_DATA', `${found.pathname} has SHA-256 ${seen} unpacked, expected ${hash}`, {
      file,
    })
  }
  return bytes
}

/** Rows of bytes with a class each. */
export type LabelledImages = { readonly width: number; readonly pixels: Uint8Array; readonly labels: Uint8Array }

const imageFiles = {
  'mnist.train': ['mnist/train-images-idx3-ubyte', 'mnist/train-labels-idx1-ubyte'],
  'mnist.test': ['mnist/t10k-images-idx3-ubyte', 'mnist/t10k-labels-idx1-ubyte'],
  'fashion.train': ['fashion-mnist-train/train-images-idx3-ubyte', 'fashion-mnist-train/train-labels-idx1-ubyte'],
} as const

/** Images of 784 pixels and their labels; the hash has vouched for the headers. Fashion-MNIST's own test part is not used. */
export function readImages(set: keyof typeof imageFiles): LabelledImages {
  const [images, labels] = imageFiles[set]
  return { width: 784, pixels: idxValues(readBenchFile(images)), labels: idxValues(readBenchFile(labels)) }
}

/** The values after an IDX header: 4 bytes and 4 more for each extent. */
const idxValues = (bytes: Uint8Array): Uint8Array => bytes.subarray(4 + 4 * bytes[3]!)

/** The chosen rows as numbers from 0 to 1 with their classes. */
export function imageRows({ width, pixels, labels }: LabelledImages, rows: ArrayLike<number>): TrainingData {
  const inputs = new Float32Array(rows.length * width)
  const targets = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    for (let c = 0; c < width; c++) inputs[i * width + c] = pixels[row * width + c]! / 255
    targets[i] = labels[row]!
  }
  return { kind: 'rows', inputs, targets }
}

/** A text of the list, as a string. */
export const readBenchText = (file: 'tinyshakespeare/input.txt'): string =>
  new TextDecoder().decode(readBenchFile(file))

/** A CSV of the list: its lines' values, trimmed; empty lines are left out. */
export const readBenchCsv = (file: 'adult-income/adult.data'): string[][] =>
  new TextDecoder()
    .decode(readBenchFile(file))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((value) => value.trim()))

/** 0 … count − 1 in an order that only the seed decides (mulberry32, Fisher–Yates). */
export function shuffledNumbers(count: number, seed: number): Uint32Array {
  let a = seed >>> 0
  const next = (): number => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const out = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const picked = out[j]!
    out[j] = out[i]!
    out[i] = picked
  }
  return out
}
