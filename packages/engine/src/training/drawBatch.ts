import { RandomStream, streamPurpose } from '../random/RandomStream.ts'

/**
 * The windows of one step as a pure function of (seed, step): window b starts at `below(b, N − T)` of the stream
 * `batches` and reads T characters; its targets are the characters one further on (E-14).
 *
 * @param tokens the text, N > T
 * @returns two i32 [B·T]
 */
export function drawBatch(
  seed: Uint8Array,
  step: number,
  tokens: Uint8Array | Uint16Array | Int32Array,
  B: number,
  T: number,
): { inputs: Int32Array; targets: Int32Array } {
  const random = new RandomStream(seed, streamPurpose.batches, step)
  const [inputs, targets] = [new Int32Array(B * T), new Int32Array(B * T)]
  for (let b = 0; b < B; b++) {
    const start = random.below(b, tokens.length - T)
    inputs.set(tokens.subarray(start, start + T), b * T)
    targets.set(tokens.subarray(start + 1, start + T + 1), b * T)
  }
  return { inputs, targets }
}
