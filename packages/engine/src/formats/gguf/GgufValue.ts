/** A number, text or list in the metadata of a GGUF file, with the type it is stored as. */
export type GgufScalar =
  | { readonly type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64'; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }

export type GgufValue =
  | GgufScalar
  | {
      readonly type: 'array'
      readonly of: GgufScalar['type']
      readonly values: readonly (number | bigint | boolean | string)[]
    }

/** Type numbers of the format; 9 is a list. */
export const valueTypes: readonly (GgufScalar['type'] | 'array')[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
]

/** Least bytes that one value of a type takes. */
export const leastBytes: Readonly<Record<GgufScalar['type'], number>> = {
  u8: 1,
  i8: 1,
  bool: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
  string: 8,
}
