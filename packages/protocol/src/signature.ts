import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Hex } from './bytes.ts'
import { concatBytes } from './bytes.ts'
import { addressOf } from './keccak.ts'
import { PotluckError } from './PotluckError.ts'

/** The address that a 32-byte secp256k1 secret speaks for. Lower case. */
export function addressOfSecret(secret: Uint8Array): Hex {
  return addressOf(secp256k1.getPublicKey(secret, false))
}

/** 65 bytes r ‖ s ‖ v (27 or 28) over a 32-byte digest; deterministic (RFC 6979), low s. */
export function signDigest(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  // noble puts the recovery bit first; Ethereum puts it last and adds 27.
  return concatBytes(signature.subarray(1), Uint8Array.of((signature[0] as number) + 27))
}

/** Who signed `digest`. Throws BAD_SIGNATURE when nobody did: wrong length, high s, or no such point. */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Hex {
  try {
    if (signature.length !== 65) throw new Error(`65 bytes expected, ${signature.length} given`)
    const v = signature[64] as number
    if (v !== 27 && v !== 28) throw new Error(`v is ${v}, expected 27 or 28`)
    const recovered = concatBytes(Uint8Array.of(v - 27), signature.subarray(0, 64))
    const parsed = secp256k1.Signature.fromBytes(recovered, 'recovered')
    if (parsed.hasHighS()) throw new Error('s is in the upper half')
    return addressOf(parsed.recoverPublicKey(digest).toBytes(false))
  } catch (cause) {
    throw new PotluckError(
      'BAD_SIGNATURE',
      `not a signature over this message: ${(cause as Error).message}`,
      {},
      { cause },
    )
  }
}
