import { type FileTensor, shapeBytes } from '../FileTensor.ts'
import { type FormatCode, refusal, shown } from '../refusal.ts'
import { onnxTypes } from './elementTypes.ts'
import { type Field, ProtobufReader } from './ProtobufReader.ts'

export type OnnxFile = {
  /** The version of the ONNX operators that the graph asks for. */
  readonly operatorSet: number
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Operators of the nodes, in order. */
  readonly operators: readonly string[]
  /** The weights by name: views into the file where they are stored as raw bytes. */
  readonly tensors: ReadonlyMap<string, FileTensor>
}

/** The limit of protocol buffers. */
const MAX_FILE_BYTES = 0x7fffffff
const MAX_RANK = 16
/** Nodes, inputs and weights together; a model of a thousand layers has some ten thousand. */
const MAX_ENTRIES = 1 << 20

const refuse = (code: FormatCode, message: string): Error => refusal('ONNX', code, message)

/**
 * What an ONNX file says about itself, and its weights. Nothing of the graph is run.
 *
 * Weights in raw bytes or in `float_data` are read; those in other files are refused. Cost: linear in the file's messages; raw data is not copied.
 *
 * @throws PotluckError FORMAT_TRUNCATED, _HEADER, _LIMIT, _TYPE, _SHAPE, _SIZE, _DUPLICATE, _MISSING
 */
export function readOnnx(file: Uint8Array): OnnxFile {
  if (file.length > MAX_FILE_BYTES) throw refuse('FORMAT_LIMIT', `${file.length} bytes, an ONNX file has at most 2 GiB`)
  let graph: Uint8Array | undefined
  let irVersion = 0
  let operatorSet = 0
  for (const field of new ProtobufReader(file).fields()) {
    if (field.number === 1) irVersion = field.integer('the IR version')
    else if (field.number === 7) graph = field.bytes('the graph')
    else if (field.number === 8) operatorSet = Math.max(operatorSet, readOperatorSet(field.bytes('an operator set')))
  }
  if (irVersion < 3 || irVersion > 100) throw refuse('FORMAT_HEADER', `IR version ${irVersion}: this is no ONNX model`)
  if (graph === undefined) throw refuse('FORMAT_MISSING', 'the model has no graph')
  const tensors = new Map<string, FileTensor>()
  const [inputs, outputs, operators]: [string[], string[], string[]] = [[], [], []]
  let entries = 0
  for (const field of new ProtobufReader(graph).fields()) {
    if (++entries > MAX_ENTRIES) throw refuse('FORMAT_LIMIT', `the graph has more than ${MAX_ENTRIES} entries`)
    if (field.number === 1) operators.push(firstText(field.bytes('a node'), 4))
    else if (field.number === 5) {
      const tensor = readTensor(field.bytes('a weight'))
      if (tensors.has(tensor.name)) throw refuse('FORMAT_DUPLICATE', `two weights are called ${shown(tensor.name)}`)
      tensors.set(tensor.name, tensor)
    } else if (field.number === 11) inputs.push(firstText(field.bytes('an input'), 1))
    else if (field.number === 12) outputs.push(firstText(field.bytes('an output'), 1))
  }
  return { operatorSet, inputs, outputs, operators, tensors }
}

/** The version of the default domain; 0 for other domains. */
function readOperatorSet(bytes: Uint8Array): number {
  let version = 0
  for (const field of new ProtobufReader(bytes).fields()) {
    if (field.number === 1 && !['', 'ai.onnx'].includes(field.text('a domain'))) return 0
    if (field.number === 2) version = field.integer('an operator set version')
  }
  return version
}

function firstText(bytes: Uint8Array, number: number): string {
  for (const field of new ProtobufReader(bytes).fields()) if (field.number === number) return field.text('a name')
  return ''
}

function readTensor(bytes: Uint8Array): FileTensor {
  const shape: number[] = []
  let [name, type] = ['', 0]
  let raw: Uint8Array | undefined
  const floats: Uint8Array[] = []
  for (const field of new ProtobufReader(bytes).fields()) {
    if (field.number === 1) readExtents(field, shape)
    else if (field.number === 2) type = field.integer('a tensor type')
    else if (field.number === 4) floats.push(field.floatBytes('float_data'))
    else if (field.number === 8) name = field.text('the name of a weight')
    else if (field.number === 9) raw = field.bytes('raw_data')
    else if (field.number === 13 || (field.number === 14 && field.integer('data_location') !== 0)) {
      throw refuse('FORMAT_TYPE', `weight ${shown(name)} lies in another file, which is not read`)
    } else if ([5, 6, 7, 10, 11].includes(field.number) || field.number === 3) {
      throw refuse('FORMAT_TYPE', `weight ${shown(name)} is not stored as raw bytes, which alone are read`)
    }
  }
  const known = onnxTypes.get(type)
  if (known === undefined) throw refuse('FORMAT_TYPE', `weight ${shown(name)} has the unknown type ${type}`)
  const expected = shapeBytes('ONNX', name, shape, known)
  if (raw === undefined && known === 'F32') raw = joined(floats)
  if ((raw?.length ?? 0) !== expected) {
    const message = `weight ${shown(name)} has ${raw?.length ?? 0} bytes, its shape [${shape.join(', ')}] takes ${expected}`
    throw refuse('FORMAT_SIZE', message)
  }
  return { name, type: known, shape, bytes: raw ?? new Uint8Array(0) }
}

/** Extents come one by one or packed. */
function readExtents(field: Field, shape: number[]): void {
  for (const extent of field.integers('an extent')) {
    if (shape.length >= MAX_RANK) throw refuse('FORMAT_SHAPE', `a weight has more than ${MAX_RANK} extents`)
    shape.push(extent)
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (only && parts.length === 1) return only
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
