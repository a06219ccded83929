import { PotluckError } from '@potluck/protocol'
import { bucketing } from './bucketing.ts'
import { centeredClipping } from './centeredClipping.ts'
import { geometricMedian } from './geometricMedian.ts'
import { mean, weightedMean } from './mean.ts'
import { multiKrum } from './multiKrum.ts'
import { nearestNeighbours } from './nearestNeighbours.ts'
import { normBound } from './normBound.ts'
import type { Aggregate, Rule, RuleInput } from './Rule.ts'
import { referenceWeighted } from './referenceWeighted.ts'
import { soundUpdates } from './soundUpdates.ts'
import { median, trimmedMean } from './trimmedMean.ts'

/**
 * One update from those of a round: a pure function of its arguments, with the same bits on every machine (L-30).
 *
 * An unsound update (an element beyond ±2^20, or none at all) is left out by every rule, and counts as one of the attackers the rule
 * was told to expect. What is left to average may be nothing: then the update is all zeros, and so are the weights.
 *
 * @throws PotluckError SHAPE when lengths disagree or there is no update; NO_REFERENCE
 */
export function applyRule(rule: Rule, input: RuleInput): Aggregate {
  const { updates, sizes, reference } = checkInput(input)
  if (rule.kind === 'reference') return referenceWeighted(updates, neededReference(reference))
  const sound = soundUpdates(updates)
  if (sound.length === updates.length) return ofSound(rule, input, 0)
  const weights = new Float32Array(updates.length)
  if (sound.length === 0) return { update: new Float32Array(updates[0]!.length), weights }
  const left = { ...input, updates: sound.map((i) => updates[i]!), sizes: sound.map((i) => sizes[i]!) }
  const aggregate = ofSound(rule, left, updates.length - sound.length)
  sound.forEach((i, k) => {
    weights[i] = aggregate.weights[k]!
  })
  return { update: aggregate.update, weights }
}

/** @param missing how many were left out: so many fewer attackers can be among those given */
function ofSound(rule: Rule, input: RuleInput, missing: number): Aggregate {
  const { updates, sizes, reference, previous } = input
  const fewer = (attackers: number): number => Math.max(0, attackers - missing)
  switch (rule.kind) {
    case 'mean':
      return mean(updates)
    case 'weightedMean':
      return weightedMean(updates, sizes)
    case 'multiKrum':
      return multiKrum(updates, fewer(rule.attackers), rule.keep)
    case 'median':
      return median(updates)
    case 'trimmedMean':
      return trimmedMean(updates, fewer(rule.trim))
    case 'geometricMedian':
      return geometricMedian(updates)
    case 'centeredClipping':
      return centeredClipping(updates, rule.radius, previous)
    case 'normBound':
      return normBound(updates, rule.bound)
    case 'reference':
      return referenceWeighted(updates, neededReference(reference))
    case 'bucketing':
      return bucketing(input, rule.size, (buckets) => ofSound(rule.then, buckets, missing))
    case 'nearestNeighbours':
      return nearestNeighbours(input, fewer(rule.attackers), (mixed) => ofSound(rule.then, mixed, missing))
  }
}

function checkInput(input: RuleInput): RuleInput {
  const { updates, sizes, reference, previous } = input
  const refuse = (message: string): never => {
    throw new PotluckError('SHAPE', message)
  }
  const P = updates[0]?.length ?? refuse('there is no update to aggregate: skip the round')
  updates.forEach((update, i) => {
    if (update.length !== P) refuse(`update ${i} has ${update.length} numbers, the first one ${P}`)
  })
  if (sizes.length !== updates.length) refuse(`${updates.length} updates need as many sizes, got ${sizes.length}`)
  for (const [name, vector] of Object.entries({ reference, previous })) {
    if (vector && vector.length !== P) refuse(`${name} has ${vector.length} numbers, the updates ${P}`)
  }
  const bad = sizes.findIndex((size) => !(Number.isFinite(size) && size >= 0))
  if (bad >= 0) refuse(`size ${bad} is ${sizes[bad]}, expected a number of rows`)
  return input
}

function neededReference(reference: Float32Array | undefined): Float32Array {
  if (reference) return reference
  throw new PotluckError(
    'NO_REFERENCE',
    'the rule reference needs the update of reference rows; name some, or take centeredClipping in buckets of 2',
  )
}
