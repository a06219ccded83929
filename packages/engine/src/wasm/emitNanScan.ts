import { FunctionWriter } from './FunctionWriter.ts'
import { simd } from './opcodes.ts'

/** Kernel that tells whether `elements` floats hold a NaN: 1 or 0. One function per length, address as parameter. */
export function emitNanScan(elements: number): FunctionWriter {
  const f = new FunctionWriter(1, ['i32'])
  const [counter, found, value] = [f.local('i32'), f.local('v128'), f.local('v128')]
  const whole = elements - (elements % 4)
  const look = (load: number): void => {
    f.get(0).accessSimd(load, 0).set(value)
    f.get(found).get(value).get(value).simd(simd.f32NotEqual).simd(simd.or).set(found)
  }
  f.loop(counter, 0, whole, 4, () => {
    look(simd.load)
    f.advance(0, 16)
  })
  f.loop(counter, whole, elements, 1, () => {
    look(simd.load32Zero)
    f.advance(0, 4)
  })
  return f.get(found).simd(simd.anyTrue)
}
