import type { ElementType } from '../FileTensor.ts'

/** Type numbers of ONNX (TensorProto.DataType) for plain numbers. */
export const onnxTypes: ReadonlyMap<number, ElementType> = new Map([
  [1, 'F32'],
  [2, 'U8'],
  [3, 'I8'],
  [4, 'U16'],
  [5, 'I16'],
  [6, 'I32'],
  [7, 'I64'],
  [9, 'BOOL'],
  [10, 'F16'],
  [11, 'F64'],
  [12, 'U32'],
  [13, 'U64'],
  [16, 'BF16'],
])

export const onnxTypeNumber: ReadonlyMap<ElementType, number> = new Map(
  [...onnxTypes].map(([number, type]) => [type, number]),
)
