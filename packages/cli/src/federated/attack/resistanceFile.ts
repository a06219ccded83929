import { readFileSync } from 'node:fs'
import { checkPoisoningResistance, type PoisoningResistance } from '@potluck/learning'
import { describeIssues, PotluckError, type ResistanceNote } from '@potluck/protocol'
import { z } from 'zod'

const rate = z.number().min(0).max(1)
const cell = z
  .object({
    attack: z.string().min(1).max(80),
    accuracies: z.array(rate).min(1).max(100),
    backdoorSuccess: z.array(rate).min(1).max(100).optional(),
  })
  .strict()
const count = z.number().int().min(0)

const recordSchema = z
  .object({
    version: z.literal(1),
    rule: z.string().max(1_000),
    compression: z.string().max(1_000),
    attackers: rate,
    seeds: z.array(count).min(1).max(100),
    clean: cell,
    cells: z.array(cell).min(1).max(1_000),
    score: rate,
    worst: z.string().min(1).max(80),
    setting: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    clients: count,
    liars: count,
    rounds: count,
    unattacked: cell,
    zeroed: z.record(rate),
    warning: z.string().max(2_000).nullable(),
  })
  .strict()

/** A poisoning resistance as `potluck attack` writes it: the record, and what is worth knowing beside it. */
export type StoredResistance = PoisoningResistance & {
  /** SHA-256 of the `run.json` of what was attacked; null for a job of the network. */
  readonly setting: string | null
  readonly clients: number
  readonly liars: number
  readonly rounds: number
  /** The rule itself with nobody lying. */
  readonly unattacked: PoisoningResistance['clean']
  /** By attack: part of the honest updates without any weight, mean over repeats. */
  readonly zeroed: Readonly<Record<string, number>>
  /** Why the rule is known to fail here; null where it is not. */
  readonly warning: string | null
}

/**
 * A stored record; its score is computed anew from its cells (L-39).
 *
 * @throws PotluckError BAD_RESISTANCE with file, field and value seen
 */
export function parseResistance(text: string, file: string): StoredResistance {
  const refuse = (why: string, cause?: unknown): PotluckError => {
    const message = `${file}: ${why}; write one with \`potluck attack … --out ${file}\``
    return new PotluckError('BAD_RESISTANCE', message, { file }, { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw refuse(`no JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = recordSchema.safeParse(value)
  if (!parsed.success) throw refuse(`no record of a poisoning resistance: ${describeIssues(parsed.error)}`)
  const record = parsed.data as StoredResistance
  try {
    checkPoisoningResistance(record)
  } catch (cause) {
    throw refuse((cause as Error).message, cause)
  }
  return record
}

/** Throws FILE_MISSING where there is no such file, BAD_RESISTANCE where it holds something else. */
export function readResistance(file: string): StoredResistance {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const message = `cannot read ${file}: ${(cause as Error).message}; write a record with \`potluck attack … --out ${file}\``
    throw new PotluckError('FILE_MISSING', message, { file }, { cause })
  }
  return parseResistance(text, file)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const ppm = (share: number): number => Math.round(1e6 * share)

/** The few numbers of a record that travel with a model, in millionths. */
export function resistanceNoteOf({ score, worst, attackers, clean, cells }: PoisoningResistance): ResistanceNote {
  const opened = cells.flatMap(({ backdoorSuccess }) => (backdoorSuccess ? [mean(backdoorSuccess)] : []))
  return {
    scorePpm: ppm(score),
    worst,
    attackersPpm: ppm(attackers),
    cleanPpm: ppm(mean(clean.accuracies)),
    worstAccuracyPpm: ppm(Math.min(...cells.map(({ accuracies }) => mean(accuracies)))),
    ...(opened.length > 0 ? { backdoorPpm: ppm(Math.max(...opened)) } : {}),
  }
}
