import { PotluckError } from '@potluck/protocol'
import { firstNan } from './checkNumbers.ts'
import { type Program, sizeOf, type Tensor } from './Program.ts'

/** The tensor of an input or output by name. Throws UNKNOWN_TENSOR with the names there are. */
export function namedTensor(program: Program, name: string): Tensor {
  const id = program.outputs[name] ?? program.inputs[name]
  const tensor = id === undefined ? undefined : program.tensors[id]
  if (tensor) return tensor
  const known = [...Object.keys(program.inputs), ...Object.keys(program.outputs)].join(', ')
  throw new PotluckError('UNKNOWN_TENSOR', `no input or output ${name}; there are ${known}`)
}

/** The input to be filled with `values`, once their type, length and numbers are in order. */
export function inputFor(program: Program, name: string, values: Float32Array | Int32Array): Tensor {
  const tensor = namedTensor(program, name)
  const type = values instanceof Float32Array ? 'f32' : 'i32'
  if (program.inputs[name] === undefined || type !== tensor.type || values.length !== sizeOf(tensor)) {
    throw new PotluckError(
      'SHAPE',
      `input ${name} takes ${tensor.type}[${tensor.shape.join(', ')}], got ${type} of ${values.length}`,
    )
  }
  const bad = type === 'f32' ? firstNan(values) : -1
  if (bad >= 0)
    throw new PotluckError('NAN', `input ${name} holds NaN at element ${bad}`, { operator: name, index: bad })
  return tensor
}
