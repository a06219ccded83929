import { PotluckError } from '@potluck/protocol'
import { type Instruction, scalarOperations } from '../scalar/ScalarProgram.ts'
import { type ElementOperand, type ElementRecord, recordKinds, reductions } from './ElementRecord.ts'
import { floatOfWord, wordOfFloat } from './words.ts'

/** The bytes of a record: 32-bit words, big-endian (D-08 … D-10). */
export function encodeRecord(record: ElementRecord): Uint8Array {
  const words: (number | Uint8Array)[] = [recordKinds.indexOf(record.kind)]
  switch (record.kind) {
    case 'element':
      words.push(record.size, reductions.indexOf(record.reduction), record.terms, record.operands.length)
      for (const operand of record.operands) words.push(...operandWords(operand))
      words.push(record.instructions.length, ...record.instructions.flatMap(instructionWords), record.output)
      break
    case 'after':
      words.push(record.partDepth, record.segments.length)
      for (const { start, length, leaf, depth, offset } of record.segments)
        words.push(start, length, leaf, depth, offset)
      break
    case 'tokens':
      words.push(record.size, record.context, record.length, record.shift, record.dataDepth, record.dataRoot)
      break
    case 'fixed':
      words.push(record.root)
      break
    case 'schedule':
      words.push(record.depth, record.root)
      break
    case 'uniform':
      words.push(record.size, record.purpose)
      break
    default:
  }
  return wordBytes(words)
}

/** Big-endian words and byte strings, one after the other. Numbers may be negative; throws NOT_A_WORD beyond 32 bits. */
export function wordBytes(words: readonly (number | Uint8Array)[]): Uint8Array {
  const out = new Uint8Array(words.reduce<number>((sum, word) => sum + (typeof word === 'number' ? 4 : word.length), 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const word of words) {
    if (typeof word === 'number') {
      if (!Number.isInteger(word) || word < -0x80000000 || word > 0xffffffff)
        throw new PotluckError('NOT_A_WORD', `${word} does not fit 32 bits: use smaller tensors`, { word })
      view.setUint32(at, word >>> 0)
      at += 4
    } else {
      out.set(word, at)
      at += word.length
    }
  }
  return out
}

function operandWords(operand: ElementOperand): number[] {
  const words = [operand.source === 'index' ? 1 : 0, operand.leaf, operand.depth, operand.offset]
  words.push(operand.indirect, operand.indirectCoefficient, operand.indirectLimit, operand.axes.length)
  for (const { constant, divisor, limit, coefficient, terms } of operand.axes) {
    words.push(constant, divisor, limit, coefficient, terms.length)
    for (const term of terms)
      words.push(term.variable === 'summation' ? 1 : 0, term.divide, term.modulo, term.coefficient)
  }
  return words
}

function instructionWords({ operation, arguments: from, immediate }: Instruction): number[] {
  const [a = 0, b = 0, c = 0] = from
  const code = ((scalarOperations.indexOf(operation) << 24) | (a << 16) | (b << 8) | c) >>> 0
  return [code, operation === 'constant' ? wordOfFloat(immediate) : immediate]
}

/** The record of these bytes. Throws BAD_RECORD for bytes that no record has. */
export function decodeRecord(bytes: Uint8Array): ElementRecord {
  const reader = new WordReader(bytes)
  const record = readRecord(reader)
  if (!reader.isAtEnd) throw new PotluckError('BAD_RECORD', `a record of ${bytes.length} bytes has bytes too many`)
  return record
}

function readRecord(reader: WordReader): ElementRecord {
  const number = reader.unsigned()
  const kind = recordKinds[number]
  switch (kind) {
    case 'element': {
      const [size, reduction, terms] = [reader.unsigned(), reductions[reader.unsigned()], reader.unsigned()]
      if (!reduction) throw new PotluckError('BAD_RECORD', 'a record names no reduction that there is')
      const operands = reader.list(() => readOperand(reader))
      const instructions = reader.list(() => readInstruction(reader))
      return { kind, size, reduction, terms, operands, instructions, output: reader.unsigned() }
    }
    case 'after': {
      const partDepth = reader.unsigned()
      const segments = reader.list(() => {
        const [start, length, leaf, depth, offset] = reader.several(5) as [number, number, number, number, number]
        return { start, length, leaf, depth, offset }
      })
      return { kind, partDepth, segments }
    }
    case 'tokens': {
      const [size, context, length, shift, dataDepth] = reader.several(5) as [number, number, number, number, number]
      return { kind, size, context, length, shift, dataDepth, dataRoot: reader.root() }
    }
    case 'fixed':
      return { kind, root: reader.root() }
    case 'schedule':
      return { kind, depth: reader.unsigned(), root: reader.root() }
    case 'uniform':
      return { kind, size: reader.unsigned(), purpose: reader.unsigned() }
    case 'before':
    case 'base':
    case 'reference':
    case 'updates':
      return { kind }
    default:
      throw new PotluckError('BAD_RECORD', `a record has the unknown kind ${number}`)
  }
}

function readOperand(reader: WordReader): ElementOperand {
  const source = reader.unsigned() === 1 ? 'index' : 'tensor'
  const [leaf, depth, offset, indirect] = reader.several(4) as [number, number, number, number]
  const [indirectCoefficient, indirectLimit] = [reader.signed(), reader.unsigned()]
  const axes = reader.list(() => {
    const [constant, divisor, limit, coefficient] = [
      reader.signed(),
      reader.unsigned(),
      reader.unsigned(),
      reader.signed(),
    ]
    const terms = reader.list(() => {
      const variable = reader.unsigned() === 1 ? ('summation' as const) : ('element' as const)
      return { variable, divide: reader.unsigned(), modulo: reader.unsigned(), coefficient: reader.signed() }
    })
    return { constant, divisor, limit, coefficient, terms }
  })
  return { source, leaf, depth, offset, indirect, indirectCoefficient, indirectLimit, axes }
}

/** Arguments are read back as many as the operation takes; a constant's immediate as a float, others as signed integers. */
function readInstruction(reader: WordReader): Instruction {
  const code = reader.unsigned()
  const operation = scalarOperations[code >>> 24]
  if (!operation) throw new PotluckError('BAD_RECORD', `a record has the unknown operation ${code >>> 24}`)
  const from = [(code >> 16) & 255, (code >> 8) & 255, code & 255].slice(0, argumentCount(operation))
  const immediate = operation === 'constant' ? floatOfWord(reader.unsigned()) : reader.signed()
  return { operation, arguments: from, immediate }
}

function argumentCount(operation: Instruction['operation']): number {
  switch (operation) {
    case 'input':
    case 'constant':
    case 'integer':
      return 0
    case 'sqrt':
    case 'negate':
    case 'absolute':
    case 'bits':
    case 'fromBits':
    case 'toFloat':
    case 'shiftLeft':
    case 'shiftRight':
      return 1
    case 'select':
      return 3
    default:
      return 2
  }
}

class WordReader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  unsigned(): number {
    if (this.#at + 4 > this.#bytes.length) throw new PotluckError('BAD_RECORD', 'a record ends in the middle')
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  signed(): number {
    return this.unsigned() | 0
  }

  several(count: number): number[] {
    return Array.from({ length: count }, () => this.unsigned())
  }

  /** A count, then as many items; a count that the bytes cannot hold is refused before anything is made. */
  list<T>(item: () => T): T[] {
    const count = this.unsigned()
    if (4 * count > this.#bytes.length - this.#at)
      throw new PotluckError('BAD_RECORD', `a record counts ${count} items`)
    return Array.from({ length: count }, item)
  }

  root(): Uint8Array {
    if (this.#at + 32 > this.#bytes.length)
      throw new PotluckError('BAD_RECORD', 'a record ends in the middle of a root')
    this.#at += 32
    return this.#bytes.slice(this.#at - 32, this.#at)
  }
}
