import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseHeartCsv, splitByLines, type TableRow } from '@potluck/learning'
import { z } from 'zod'

/** The project's own data folder; each set has its source and licence beside it. */
export const dataFolder = fileURLToPath(new URL('../../../../data', import.meta.url))

export const heartFile = (hospital: string): string => join(dataFolder, 'heart', `processed.${hospital}.data`)

const splitSchema = z.object({
  hospitals: z.record(z.object({ test: z.array(z.number().int().min(0)) }).passthrough()),
})

/** Lines kept out of training, by FLamby's published split. */
export function heartTestLines(hospital: string): number[] {
  const split = splitSchema.parse(JSON.parse(readFileSync(join(dataFolder, 'heart', 'split.json'), 'utf8')))
  const found = split.hospitals[hospital]
  if (!found) throw new Error(`the split has no hospital ${hospital}`)
  return found.test
}

/** One hospital's rows. Only the hospital's own node reads them in the demo, and the comparison with central training. */
export function heartTables(hospital: string): { train: TableRow[]; test: TableRow[] } {
  const file = heartFile(hospital)
  return splitByLines(parseHeartCsv(readFileSync(file, 'utf8'), { file }), heartTestLines(hospital))
}
