import { exactExp64 } from '@potluck/engine'
import { checkDelta, checkEpsilon } from './PrivacyStep.ts'

export type EpsilonInWords = {
  /** The most by which any observation can multiply an attacker's odds that the unit took part: e^ε, but for δ. */
  readonly oddsFactor: number
  /** Highest true-positive rate of any attack at a false-positive rate of 1 %. */
  readonly tprAt1Percent: number
  /** Highest difference of true- and false-positive rate of any attack. */
  readonly advantage: number
  /** One sentence on what is promised. */
  readonly meaning: string
  /** What takes away from it; empty when nothing does. */
  readonly warnings: readonly string[]
}

/** What else is known of the setting; each adds a warning where it should. */
export type EpsilonSetting = {
  /** Protected units: rows, or clients where whole clients are protected. */
  readonly members?: number | undefined
  /** With whole clients protected: numbers in an update. */
  readonly parameters?: number
  /** And the noise multiplier on the sum of `perRound` clipped updates. */
  readonly noise?: number
  readonly perRound?: number
}

/**
 * What (ε, δ) means, in numbers and words, and when it means nothing.
 *
 * Every test of "was this unit in it?" with false-positive rate f has a true-positive rate of at most
 * min(e^ε·f + δ, 1 − e^−ε·(1 − δ − f)), and TPR − FPR ≤ (e^ε − 1 + 2δ)/(e^ε + 1).
 *
 * @throws PotluckError BAD_PRIVACY
 *
 * Source: Kairouz, Oh, Viswanath, arXiv:1311.0776, theorem 2.1.
 */
export function describeEpsilon(epsilon: number, delta: number, setting: EpsilonSetting): EpsilonInWords {
  if (epsilon !== 0) checkEpsilon(epsilon)
  checkDelta(delta)
  const factor = exactExp64(epsilon)
  const tprAt1Percent = Math.min(1, factor * 0.01 + delta, 1 - (0.99 - delta) / factor)
  // (e^ε − 1 + 2δ)/(e^ε + 1), without an infinity over another.
  const advantage = Math.min(1, 1 - (2 - 2 * delta) / (factor + 1))
  const meaning = `Whatever an attacker knows already, what is released can multiply its odds that one given member took part by ${times(factor)} at most (but for a chance of ${delta}); raising a false alarm on 1 in 100 outsiders it finds at most ${percent(tprAt1Percent)} of the members.`
  return { oddsFactor: factor, tprAt1Percent, advantage, meaning, warnings: warningsOf(epsilon, delta, setting) }
}

function warningsOf(epsilon: number, delta: number, setting: EpsilonSetting): string[] {
  const { members, parameters, noise, perRound } = setting
  const warnings: string[] = []
  if (epsilon > 10) {
    warnings.push(`ε = ${short(epsilon)} promises next to nothing: only an attack that fails by itself is ruled out.`)
  } else if (epsilon > 3) {
    warnings.push(
      `ε = ${short(epsilon)} is weak: measure what attacks reach on this model instead of trusting the bound.`,
    )
  }
  if (members !== undefined && delta * members >= 1) {
    warnings.push(`δ = ${delta} is 1/${members} or more: publishing one member's record outright would satisfy it.`)
  } else if (members !== undefined && delta * members > 0.1) {
    warnings.push(`δ = ${delta} is more than a tenth of 1/${members}: take a smaller one.`)
  }
  if (noise !== undefined && parameters !== undefined && perRound !== undefined) {
    const ratio = (noise * Math.sqrt(parameters)) / perRound
    if (ratio > 1) {
      warnings.push(
        `With ${perRound} updates in a sum the noise on their mean is ${times(ratio)} as long as the largest possible mean itself (${parameters} numbers): the model will learn little or nothing. Many more clients or far fewer numbers are needed.`,
      )
    }
  }
  if (members !== undefined && members < 3)
    warnings.push(`With ${members} members each knows all about the others already.`)
  return warnings
}

const short = (value: number): string => String(Number(value.toPrecision(3)))
const times = (value: number): string => (value > 1e9 ? 'more than a billion times' : `${short(value)} times`)
const percent = (value: number): string => (value >= 1 ? 'all' : `${short(100 * value)} %`)
