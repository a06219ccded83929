import { PotluckError } from '@potluck/protocol'
import type { RingFormat } from '../secureSum/ringFixed.ts'
import { addGaussian } from './addGaussian.ts'
import { clipToNorm } from './clipToNorm.ts'
import { discreteGaussian } from './discreteGaussian.ts'
import { gaussianStream } from './gaussianStream.ts'
import { checkPrivacySteps } from './PrivacyStep.ts'

/** 2^39, so that the variance stays below 2^80. */
const LARGEST_DEVIATION = 549_755_813_888

/**
 * One client's update, clipped, with all the noise that a promise for it alone needs: deviation clip · multiplier (L-56).
 * Nobody has to be trusted, and the noise of n clients in a sum is √n times more than one needs.
 *
 * @param multiplier noise over clip, as the accountants count it
 * @param next       secret random words of this client, for this use only (`wordStream`)
 */
export function addUserNoise(update: Float32Array, clip: number, multiplier: number, next: () => bigint): Float32Array {
  checkPrivacySteps([{ noise: multiplier, rate: 1, steps: 1 }])
  checkClip(clip)
  const noised = Float64Array.from(clipToNorm(update, clip))
  addGaussian(noised, clip * multiplier, gaussianStream(next))
  return Float32Array.from(noised)
}

export type NoiseShare = {
  /** Largest norm of a member's vector, rounded, in steps of the ring. */
  readonly clipSteps: number
  readonly multiplier: number
  /** Members of the group whose sum is formed. */
  readonly members: number
  /** How many of them may keep their noise back, or know it and tell: colluders and dropouts. Below `members`. */
  readonly dishonest: number
}

/**
 * One member's part of the noise in a masked sum: whole numbers to be added to its vector before masking (L-57).
 *
 * Each adds variance (clip · multiplier)² / (members − dishonest), so that the honest ones alone reach the promised noise. Colluders
 * take their own parts away; should more than `dishonest` do so, k honest ones leave a multiplier of
 * multiplier · √(k / (members − dishonest)). With dishonest = 0 nobody may.
 *
 * Sums of discrete normals are not quite discrete normal; with deviations of 4 steps and more, which is checked, the difference
 * is below 1e-15 (arXiv:2102.06387, theorem 1).
 *
 * @param next secret random words of this member, for this round only
 * @throws PotluckError BAD_PRIVACY
 */
export function noiseShare(length: number, share: NoiseShare, next: () => bigint): bigint[] {
  const { clipSteps, multiplier, members, dishonest } = share
  checkPrivacySteps([{ noise: multiplier, rate: 1, steps: 1 }])
  checkClip(clipSteps)
  if (!Number.isSafeInteger(members) || !Number.isSafeInteger(dishonest) || dishonest < 0 || dishonest >= members) {
    throw new PotluckError(
      'BAD_PRIVACY',
      `expected members and fewer dishonest ones, got ${members} and ${dishonest}: with nobody honest nobody adds noise`,
      { members, dishonest },
    )
  }
  const deviation = (clipSteps * multiplier) / Math.sqrt(members - dishonest)
  if (!(deviation >= 4 && deviation < LARGEST_DEVIATION)) {
    throw new PotluckError(
      'BAD_PRIVACY',
      `a member's noise must have a deviation of 4 steps or more, got ${deviation}: use more fraction bits`,
      { deviation },
    )
  }
  // Rounded up to a fraction with denominator 2^20: never less noise than asked for.
  const variance = { top: BigInt(Math.ceil(deviation * deviation * 1024)) << 10n, bottom: 1n << 20n }
  return Array.from({ length }, () => discreteGaussian(variance, next))
}

/**
 * A member's update for a masked sum, clipped, rounded to the ring's steps, with its share of the noise: what `encodeRing` takes,
 * which refuses numbers that leave no headroom (use more bits, or fewer fraction bits).
 *
 * The clip that the noise is measured by is √P/2 steps longer than `clip`, since rounding lengthens a vector of P numbers so much.
 *
 * @param format the ring; its `members` are those of the group
 */
export function addNoiseShare(
  update: Float32Array,
  { clip, multiplier, dishonest }: { readonly clip: number; readonly multiplier: number; readonly dishonest: number },
  format: RingFormat,
  next: () => bigint,
): Float64Array {
  checkClip(clip)
  const unit = Number(1n << BigInt(format.fractionBits))
  const clipSteps = clip * unit + Math.sqrt(update.length) / 2
  const noise = noiseShare(update.length, { clipSteps, multiplier, members: format.members, dishonest }, next)
  return Float64Array.from(clipToNorm(update, clip), (value, i) => (Math.round(value * unit) + Number(noise[i])) / unit)
}

function checkClip(clip: number): void {
  if (!(clip > 0 && clip < 1e30)) {
    throw new PotluckError('BAD_PRIVACY', `the clip must be above 0, got ${clip}`, { clip })
  }
}
