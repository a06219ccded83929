import { PotluckError } from '@potluck/protocol'
import type { TableEncoding } from '../training/table/encodeRows.ts'
import { tableEncodingSchema } from '../training/table/tableEncodingSchema.ts'
import type { TrainedModel } from './loadTrained.ts'

/** How a trained model of tables reads a row. Throws BAD_MODEL where its config.json does not say. */
export function tableEncodingOf({ input, folder }: TrainedModel): TableEncoding {
  const parsed = tableEncodingSchema.safeParse(input)
  if (parsed.success) return parsed.data
  const [fault] = parsed.error.issues
  const message = `${folder}: config.json does not say how a row is read (input.${fault?.path.join('.')}: ${fault?.message}); train the model again`
  throw new PotluckError('BAD_MODEL', message, { folder })
}

/** Names of the columns of the table that an encoding was fitted to, in order. */
export function columnNames({ columns, target }: TableEncoding): string[] {
  const names: string[] = []
  for (const { name, index } of [...columns, target]) names[index] = name
  return names
}

/** How a trained model of images reads a pixel. Throws BAD_MODEL where its config.json does not say. */
export function pixelScaleOf({ input, folder }: TrainedModel): { readonly mean: number; readonly deviation: number } {
  const { mean, deviation } = input as { mean?: unknown; deviation?: unknown }
  if (typeof mean === 'number' && typeof deviation === 'number') return { mean, deviation }
  throw new PotluckError('BAD_MODEL', 'config.json says no mean and deviation of pixels', { folder })
}
