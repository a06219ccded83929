import { keccak256 } from '../keccak.ts'
import { PotluckError } from '../PotluckError.ts'

/**
 * A validator's hash chain for a job of `rounds` rounds, outermost first: `rounds + 1` layers of 32 bytes.
 *
 * Layer 0 is the head it enrols with; its k-th reveal is layer k, whose Keccak hash is layer k - 1; the last is the secret itself. A round in
 * which it stayed silent uses up no layer: look for the layer whose hash the contract holds (`onionOf`). Who loses the secret pays the
 * penalty of silence in every round. Throws BAD_SECRET unless the secret has 32 bytes.
 */
export function onionLayers(secret: Uint8Array, rounds: number): Uint8Array[] {
  if (secret.length !== 32) {
    throw new PotluckError('BAD_SECRET', `the secret of a hash chain has 32 bytes, got ${secret.length}`)
  }
  const layers = [secret]
  while (layers.length <= rounds) layers.push(keccak256(layers.at(-1) as Uint8Array))
  return layers.reverse()
}
