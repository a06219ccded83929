import { createHash } from 'node:crypto'
import type { GgufTokenizer, TrainingData } from '@potluck/engine'

/** What a model must fit: the extents of the data, and how much there is. */
export type DataShape =
  | {
      readonly kind: 'text'
      readonly vocabulary: number
      /** To train on. */
      readonly tokens: number
      /** Of the shortest of the parts to train, validate and test on. */
      readonly shortest: number
    }
  | { readonly kind: 'table'; readonly inputs: number; readonly classes: number | null; readonly rows: number }
  | {
      readonly kind: 'images'
      readonly height: number
      readonly width: number
      readonly channels: number
      readonly classes: number
      readonly images: number
    }

/** Data ready for training, whatever it came from. */
export type LoadedData = {
  readonly shape: DataShape
  readonly train: TrainingData
  readonly valid: TrainingData
  readonly test: TrainingData | undefined
  /** What was done with the data, for a person. */
  readonly lines: readonly string[]
  /** How inputs are made from raw data and answers are read: kept in config.json beside the model. */
  readonly encoding: Readonly<Record<string, unknown>>
  /** Files to keep beside the model, by name: a tokenizer. */
  readonly files: Readonly<Record<string, string>>
  /** What is particular to a text. */
  readonly text?: TextSource
  /** Names of the classes, where there are any. */
  readonly classes?: readonly string[]
  /** Which of the values of a column each training row has: the client it belongs to. */
  readonly sites?: { readonly names: readonly string[]; readonly ofRow: Int32Array }
  /** Turns losses and accuracies of numbers back into the unit of the target; regression only. */
  readonly unit?: { readonly name: string; readonly deviation: number }
}

export type TextSource = {
  /** The tokenizer, as a GGUF file holds it. */
  readonly gguf: GgufTokenizer
  /** Text of tokens. */
  decode(tokens: readonly number[]): string
  /** The first token of the validation text. */
  readonly start: number
}

const bytesOf = (values: Uint8Array | Uint16Array | Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** SHA-256 over all numbers of the data: equal for equal data however it was stored. */
export function hashData(...all: readonly TrainingData[]): string {
  const hash = createHash('sha256')
  for (const data of all) {
    for (const part of data.kind === 'tokens' ? [data.tokens] : [data.inputs, data.targets]) {
      hash.update(`${part.constructor.name} ${part.length}\n`).update(bytesOf(part))
    }
  }
  return hash.digest('hex')
}

/** A text and its tokens pass through strings and lists while they are made: so many bytes a token at the highest. */
const BYTES_PER_TOKEN = 64

/** Bytes the data takes in memory. */
export const sizeOfData = (...all: readonly (TrainingData | undefined)[]): number =>
  all.reduce((sum, data) => {
    if (!data) return sum
    if (data.kind === 'tokens') return sum + data.tokens.length * BYTES_PER_TOKEN
    return sum + data.inputs.byteLength + data.targets.byteLength
  }, 0)
