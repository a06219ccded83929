import { type Hex, keccak256, toHex } from 'viem'

/** A validator's chain of hashes: `head` is committed, `layer(k)` is what it reveals in its k-th beacon. */
export function onion(seed: number, rounds: number): { head: Hex; layer: (k: number) => Hex } {
  const layers: Hex[] = [keccak256(toHex(`onion ${seed}`))]
  for (let i = 0; i < rounds; i++) layers.push(keccak256(layers[i] as Hex))
  return { head: layers[rounds] as Hex, layer: (k) => layers[rounds - 1 - k] as Hex }
}
