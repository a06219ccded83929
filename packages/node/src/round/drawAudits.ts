import { abiEncode, fromHex, type Hex, keccak256, toHex } from '@potluck/protocol'

export type AuditDraw = { index: number; ratePpm: number; auditor: Hex | null; probeStep: number }

/**
 * Which claims are recomputed, by whom, and at which inner step the auditor must show the state (P-48).
 *
 * Claim i is drawn when the first 4 bytes of H(beacon, i) as a fraction of 2^32 lie below its rate. Auditors take turns from a
 * start that the beacon gives, so that work spreads evenly and nobody knows before the beacon whom it will meet.
 *
 * @param ratesPpm one a claim, in set order
 * @param validators in enrolment order, expelled ones left out
 * @param steps inner steps of a claim; the probe lies in 1 .. steps
 */
export function drawAudits(
  beacon: Hex,
  ratesPpm: readonly number[],
  validators: readonly Hex[],
  steps: number,
): AuditDraw[] {
  const start = Number(
    BigInt(toHex(keccak256(fromHex(beacon), abiEncode(2n ** 255n)))) % BigInt(validators.length || 1),
  )
  let drawn = 0
  return ratesPpm.map((ratePpm, index) => {
    const lot = keccak256(fromHex(beacon), abiEncode(index))
    const view = new DataView(lot.buffer, lot.byteOffset)
    const isDrawn = BigInt(view.getUint32(0)) * 1_000_000n < BigInt(ratePpm) * (1n << 32n)
    const auditor = isDrawn && validators.length > 0 ? (validators[(start + drawn++) % validators.length] as Hex) : null
    return { index, ratePpm, auditor, probeStep: 1 + (view.getUint32(4) % Math.max(1, steps)) }
  })
}
