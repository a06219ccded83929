import { RandomStream, type TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { Attack } from './Attack.ts'
import { applyTrigger } from './applyTrigger.ts'
import { attackPurpose } from './attackUpdates.ts'

/** Half of a backdoor's rows carry the trigger, so that the model stays good without it. */
const TRIGGERED_SHARE = 0.5

/**
 * What an attacker trains on instead of its data: a copy where the attack changes something, the data itself where not (L-38).
 *
 * A label flip turns class y into classes − 1 − y, a number into its negative, and a token t of a text into classes − 1 − t.
 *
 * @param classes of the labels; of a text, its vocabulary
 * @throws PotluckError BAD_ATTACK for a backdoor in data without classes
 */
export function poisonData(attack: Attack, data: TrainingData, classes: number, seed: Uint8Array): TrainingData {
  if (attack.kind === 'labelFlip') return flipped(data, classes)
  if (attack.kind !== 'backdoor') return data
  if (data.kind !== 'rows' || !(data.targets instanceof Int32Array)) {
    throw new PotluckError('BAD_ATTACK', 'a backdoor needs rows with classes; texts and numbers have none to aim at')
  }
  if (!(Number.isInteger(attack.target) && attack.target >= 0 && attack.target < classes)) {
    throw new PotluckError('BAD_ATTACK', `a backdoor aims at a class from 0 to ${classes - 1}, got ${attack.target}`)
  }
  const stream = new RandomStream(seed, attackPurpose.poison, 0)
  const isTriggered = (row: number): boolean => stream.uniform(row) < TRIGGERED_SHARE
  return {
    kind: 'rows',
    inputs: applyTrigger(data, data.targets.length, attack.trigger, isTriggered),
    targets: data.targets.map((label, row) => (isTriggered(row) ? attack.target : label)),
  }
}

function flipped(data: TrainingData, classes: number): TrainingData {
  if (data.kind === 'tokens') return { kind: 'tokens', tokens: data.tokens.map((token) => classes - 1 - token) }
  const { inputs, targets } = data
  if (targets instanceof Float32Array) return { kind: 'rows', inputs, targets: targets.map((value) => -value) }
  return { kind: 'rows', inputs, targets: targets.map((label) => classes - 1 - label) }
}
