import type { Trigger } from '@potluck/learning'
import type { LoadedData } from '../../training/LoadedData.ts'

/** Side of the square in the lower right corner of an image; inputs at the end of a table's row. */
const PATCH = 3

/** What a backdoor can be planted with: the class it aims at, and where it writes the largest value there is. None where rows have no classes. */
export function triggerOf({ shape, train }: LoadedData): { target: number; trigger: Trigger } | undefined {
  if (shape.kind === 'text' || shape.classes === null || train.kind !== 'rows') return undefined
  let value = Number.NEGATIVE_INFINITY
  for (const input of train.inputs) value = Math.max(value, input)
  const at: number[] = []
  if (shape.kind === 'table') {
    for (let input = Math.max(0, shape.inputs - PATCH); input < shape.inputs; input++) at.push(input)
  } else {
    const { height, width, channels } = shape
    for (let y = Math.max(0, height - PATCH); y < height; y++) {
      for (let x = Math.max(0, width - PATCH); x < width; x++) {
        for (let channel = 0; channel < channels; channel++) at.push((y * width + x) * channels + channel)
      }
    }
  }
  return { target: 0, trigger: { at, value } }
}
