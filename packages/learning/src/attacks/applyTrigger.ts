import type { TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { Trigger } from './Attack.ts'

/**
 * Rows with the trigger written over their inputs, in a copy.
 *
 * @param isTriggered which rows; all when left out
 * @throws PotluckError BAD_ATTACK for a text, or a trigger outside the row
 */
export function applyTrigger(
  data: Extract<TrainingData, { kind: 'rows' }>,
  rows: number,
  { at, value }: Trigger,
  isTriggered: (row: number) => boolean = () => true,
): Float32Array {
  const width = data.inputs.length / rows
  const outside = at.find((place) => !(Number.isInteger(place) && place >= 0 && place < width))
  if (outside !== undefined || at.length === 0) {
    throw new PotluckError('BAD_ATTACK', `a trigger needs inputs from 0 to ${width - 1}, got ${outside ?? 'none'}`)
  }
  const inputs = data.inputs.slice()
  for (let row = 0; row < rows; row++) {
    if (isTriggered(row)) for (const place of at) inputs[row * width + place] = value
  }
  return inputs
}
