import { unsigned } from './bytes.ts'
import { type FunctionWriter, typeByte } from './FunctionWriter.ts'

/** Wasm32 at its largest, in pages of 64 KiB. */
const mostPages = 65536

/** The bytes of a module that imports `env.memory`, `shared` between threads or not, and exports the functions as "0", "1", … in order. */
export function encodeModule(functions: readonly FunctionWriter[], shared = false): Uint8Array<ArrayBuffer> {
  const section = (id: number, items: number[][]): number[] => {
    const content = unsigned(items.length)
    for (const item of items) for (const byte of item) content.push(byte)
    return [id, ...unsigned(content.length)].concat(content)
  }
  const text = (value: string): number[] => [value.length, ...[...value].map((letter) => letter.charCodeAt(0))]
  const types = functions.map((f) => [
    0x60,
    ...unsigned(f.parameters),
    ...new Array<number>(f.parameters).fill(typeByte.i32),
    f.results.length,
    ...f.results.map((type) => typeByte[type]),
  ])
  const parts = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, types),
    section(2, [[...text('env'), ...text('memory'), 0x02, shared ? 0x03 : 0x01, 0x00, ...unsigned(mostPages)]]),
    section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    section(
      7,
      functions.map((_, i) => [...text(String(i)), 0x00, ...unsigned(i)]),
    ),
    section(
      10,
      functions.map((f) => f.finish()),
    ),
  ]
  return Uint8Array.from(parts.flat())
}
