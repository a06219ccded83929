/**
 * MT19937 (Matsumoto and Nishimura 1998), seeded by one word: what published runs on CPUs drew their starts from. 32 bits a call.
 */
export function mersenneTwister(seed: number): () => number {
  const [N, M] = [624, 397]
  const state = new Uint32Array(N)
  state[0] = seed
  for (let i = 1; i < N; i++) {
    const before = state[i - 1]!
    state[i] = Math.imul(before ^ (before >>> 30), 1_812_433_253) + i
  }
  let at = N
  const refill = (): void => {
    for (let i = 0; i < N; i++) {
      const joined = (state[i]! & 0x8000_0000) | (state[(i + 1) % N]! & 0x7fff_ffff)
      state[i] = state[(i + M) % N]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908_b0df : 0)
    }
    at = 0
  }
  return () => {
    if (at === N) refill()
    let y = state[at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return (y ^ (y >>> 18)) >>> 0
  }
}

/**
 * Where PyTorch starts a linear layer from `inputs` numbers to one: weights, then the bias, each uniform within 1/√inputs, from 24 bits
 * of a word.
 */
export function torchLinearStart(seed: number, inputs: number): { readonly weights: number[]; readonly bias: number } {
  const next = mersenneTwister(seed)
  const bound = Math.fround(1 / Math.sqrt(inputs))
  const uniform = (): number => Math.fround(Math.fround(((next() & 0xff_ffff) / 0x100_0000) * (2 * bound)) - bound)
  const weights = Array.from({ length: inputs }, uniform)
  return { weights, bias: uniform() }
}
