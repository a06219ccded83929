/**
 * `run.json`: what a federation was made of, beside its model. With it the same setting is tried again, against liars, without naming
 * everything a second time.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeIssues, PotluckError } from '@potluck/protocol'
import { z } from 'zod'
import type { RunOptions } from '../training/prepareRun.ts'
import { modelKinds } from '../training/readModelFile.ts'
import type { FederatedWishes } from './settings/FederatedWishes.ts'

const text = z.string().min(1).max(4_096)
const count = z.number().int().min(1)
const columns = z.array(z.string().max(1_000)).max(10_000)

/** The data: its files by their whole paths, and how they were read. */
const data = {
  text: text.optional(),
  csv: text.optional(),
  target: text.optional(),
  images: text.optional(),
  labels: text.optional(),
  header: z.enum(['auto', 'yes', 'no']),
  task: z.enum(['classification', 'regression']).optional(),
  ignore: columns,
  categorical: columns,
  classes: count.optional(),
  tokenizer: text,
  valid: z.number().min(0.1).max(90).optional(),
}

/** As the options of `potluck train` are written, with every value that was chosen where none was given. */
const settings = {
  /** Left out where a base brings its own. */
  model: z
    .object({ kind: z.enum(modelKinds) })
    .passthrough()
    .optional(),
  base: text.optional(),
  lora: text.optional(),
  seed: z.number().int().min(0),
  /** Left out where a column names the clients. */
  clients: count.optional(),
  partition: text,
  rounds: count,
  localSteps: count,
  perRound: count.optional(),
  buffered: text.optional(),
  rule: text,
  compress: text,
  outer: text,
  method: text,
  /** Public rows. */
  reference: count.optional(),
  noise: text.optional(),
  masks: count.optional(),
  personalHead: z.boolean().optional(),
  batch: count,
  rate: z.number().positive(),
  optimizer: z.enum(['adamw', 'sgd', 'muon']),
}

/** Over all numbers that were trained and measured on, with this seed: tells changed files from those of the run. */
const dataHash = z.string().regex(/^[0-9a-f]{64}$/)

const runSchema = z.object({ version: z.literal(1), dataHash, ...data, ...settings }).strict()
export type RunFile = z.infer<typeof runSchema>

const dataFiles = ['text', 'csv', 'images', 'labels', 'base'] as const

/** @param chosen what was found where the options said nothing */
export function runFileOf(options: RunOptions & FederatedWishes, chosen: Chosen): RunFile {
  const names = [...Object.keys(data), 'lora', 'seed', 'clients', 'buffered', 'noise', 'masks', 'personalHead'] as const
  const given = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => names.includes(name) && value !== undefined),
  )
  const paths = dataFiles.flatMap((name) => (options[name] === undefined ? [] : [[name, resolve(options[name])]]))
  return runSchema.parse({ version: 1, ...given, ...Object.fromEntries(paths), ...withoutUndefined(chosen) })
}

type Chosen = Pick<
  RunFile,
  | 'dataHash'
  | 'partition'
  | 'rounds'
  | 'localSteps'
  | 'rule'
  | 'compress'
  | 'outer'
  | 'method'
  | 'batch'
  | 'rate'
  | 'optimizer'
> & {
  readonly model: RunFile['model'] | undefined
  readonly perRound: number | undefined
  readonly reference: number | undefined
}

const withoutUndefined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

export const runFileText = (run: RunFile): string => `${JSON.stringify(run, null, 2)}\n`

/** SHA-256 of all that makes a run, in hex: tells whether a record is of it. */
export const settingHash = (run: RunFile): string => createHash('sha256').update(runFileText(run)).digest('hex')

/**
 * The settings that a run recorded.
 *
 * @param folder that `potluck train` wrote
 * @throws PotluckError NO_RUN for a folder that holds none, or one of a single participant; BAD_RUN with the field that is wrong
 */
export function readRunFile(folder: string): RunFile {
  const file = resolve(folder, 'run.json')
  if (!existsSync(file)) throw new PotluckError('NO_RUN', `${folder} ${whyNone(folder)}`, { folder })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw badRun(file, `no JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = runSchema.safeParse(value)
  if (!parsed.success) throw badRun(file, describeIssues(parsed.error))
  return parsed.data
}

/** Why a folder says nothing of a federation, by what else is in it. */
function whyNone(folder: string): string {
  const has = (name: string): boolean => existsSync(resolve(folder, name))
  const again =
    'name the data and the settings on the command line, such as --csv FILE --target COLUMN --clients 20 --rule reference'
  if (has('tensorboard'))
    return `holds a run of several participants, but no run.json says of which data and settings: ${again}, or train it once more`
  if (has('checkpoint.safetensors') || has('config.json'))
    return `holds a model that one participant trained alone: nobody else could lie. Train with \`potluck train --clients N\`, or ${again}`
  return `is no folder that \`potluck train --clients N\` wrote: name one, or a job file, or ${again}`
}

const badRun = (file: string, why: string, cause?: unknown): PotluckError =>
  new PotluckError(
    'BAD_RUN',
    `${file}: ${why}; put the file back as \`potluck train\` wrote it, or name the settings on the command line`,
    { file },
    { cause },
  )
