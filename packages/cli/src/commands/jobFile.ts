/**
 * The job file: what a builder orders, in YAML or JSON. Every field has its unit in its name or beside it here; the README lists them all,
 * and a test holds the two together.
 */
import { readFileSync } from 'node:fs'
import { heartL2, leastFor } from '@potluck/learning'
import { PotluckError, updateEncodings } from '@potluck/protocol'
import { parse } from 'yaml'
import { z } from 'zod'
import { purposeNames } from './purposes.ts'

const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const ppm = whole(0, 1_000_000)
/** Tokens, `1.5`, or units, `1500000u`; YAML reads a bare 1.5 as a number, which is as good. */
const amount = z
  .union([z.string().max(60), z.number().min(0).max(1e15)])
  .transform(String)
  .refine(
    (text) => /^\d{1,30}(\.\d{1,36})?$|^\d{1,39}u$/.test(text),
    'expected an amount: 1.5 (tokens) or 1500000u (units)',
  )
const purpose = z.enum(purposeNames as [string, ...string[]])
const version = whole(1, 2 ** 53 - 1)

const bonds = z
  .object({
    worker: amount.default('60'),
    validator: amount.default('400'),
    witness: amount.default('10'),
    missingPenalty: amount.default('60'),
  })
  .strict()
const times = z
  .object({
    fixSeconds: whole(1, 604_800).default(90),
    beaconBlocks: whole(1, 100).default(1),
    revealSeconds: whole(1, 86_400).default(20),
    turnSeconds: whole(1, 86_400).default(25),
    challengeSeconds: whole(1, 2_592_000).default(20),
  })
  .strict()
const members = z
  .object({
    minWorkers: whole(1, 512).optional(),
    minValidators: whole(1, 64).default(3),
    minWitnesses: whole(1, 512).default(7),
    committeeSize: whole(1, 32).default(7),
    quorum: whole(1, 32).default(5),
  })
  .strict()
const resultTerms = z
  .object({
    licence: z.string().min(1).max(2_000).default('by the call'),
    purposes: z.array(purpose).max(5).default(['EVALUATE', 'SERVE', 'COMMERCIAL']),
    minSharePpm: ppm.default(0),
    trainPrice: amount.default('0'),
    resistance: z.string().min(1).max(4_096).optional(),
  })
  .strict()

const common = {
  name: z.string().min(1).max(100),
  description: z.string().max(2_000).default(''),
  token: z.string().min(1).max(42).optional(),
  payPerRound: amount,
  data: z
    .array(z.object({ version, sharePpm: ppm }).strict())
    .min(1)
    .max(64),
  purposes: z.array(purpose).min(1).max(5).default(['TRAIN', 'DERIVE', 'SERVE', 'COMMERCIAL']),
  bonds: bonds.default({}),
  times: times.default({}),
  members: members.default({}),
  result: resultTerms.default({}),
}

const network = z
  .object({
    vocabulary: z.string().min(2).max(512).optional(),
    context: whole(1, 4_096).default(32),
    width: whole(1, 4_096).default(64),
    layers: whole(1, 64).default(2),
    heads: whole(1, 64).default(4),
    hidden: whole(1, 16_384).default(256),
  })
  .strict()
const training = z
  .object({
    batch: whole(1, 4_096).default(16),
    steps: whole(1, 100_000).default(40),
    learningRate: z.number().positive().max(1).default(0.012),
    weightDecay: z.number().min(0).lt(1).default(0.05),
    warmupSteps: whole(0, 100_000).default(3),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.99),
    epsilon: z.number().positive().max(1).default(1e-8),
    stateEverySteps: whole(1, 100_000).default(20),
    encoding: z.enum(updateEncodings).default('dense4'),
  })
  .strict()
const audit = z
  .object({
    gainPpm: ppm.default(800_000),
    colludingPpm: ppm.default(300_000),
    auditors: whole(1, 16).default(1),
    saltPriceE18: amount.default('100000u'),
    newClaims: whole(0, 1_000).default(4),
  })
  .strict()

const language = z
  .object({
    kind: z.literal('language'),
    ...common,
    valid: z.string().min(1).max(4_096),
    seed: z.string().min(1).max(200).default('potluck'),
    rounds: whole(1, 10_000).default(7),
    shares: whole(1, 512).default(5),
    workSeconds: whole(1, 86_400).default(45),
    silenceSeconds: whole(1, 3_600).default(3),
    contributorsSharePpm: ppm.default(400_000),
    network: network.default({}),
    training: training.default({}),
    audit: audit.default({}),
    scoreWindows: whole(0, 1_024).default(64),
  })
  .strict()
const rowNoise = z.object({ multiplier: z.number().min(0.05).max(1_000), dishonest: whole(0, 63).default(1) }).strict()
const tabular = z
  .object({
    kind: z.literal('tabular'),
    ...common,
    table: z.literal('heart').default('heart'),
    l2: z.number().min(0).max(1e6).default(heartL2),
    /** 20, or 2 with noise: every step is one more release. */
    maxSteps: whole(1, 100).optional(),
    noise: rowNoise.optional(),
    leastMembers: whole(3, 64).optional(),
    workSeconds: whole(1, 86_400).default(60),
    silenceSeconds: whole(1, 3_600).default(4),
    contributorsSharePpm: ppm.default(0),
  })
  .strict()

export const jobFileSchema = z.discriminatedUnion('kind', [language, tabular])
export type JobFile = z.output<typeof jobFileSchema>
export type LanguageJobFile = z.output<typeof language>

/** Every field of the job file with its path, for the documentation's test. */
export function jobFileFields(): string[] {
  const nested = { bonds, times, members, result: resultTerms, network, training, audit, noise: rowNoise }
  const top = new Set([...Object.keys(language.shape), ...Object.keys(tabular.shape)])
  const inner = Object.entries(nested).flatMap(([name, { shape }]) => Object.keys(shape).map((key) => `${name}.${key}`))
  return [...[...top].filter((name) => !Object.hasOwn(nested, name)), ...inner]
}

/** A job from text. Throws BAD_JOB_FILE with the file, each wrong field, what was expected and the value seen. */
export function parseJobFile(text: string, file: string): JobFile {
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 10 })
  } catch (cause) {
    throw badJobFile(file, `no YAML or JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = jobFileSchema.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues.slice(0, 4).map((issue) => {
      const seen = valueAt(value, issue.path)
      const shown = seen === undefined ? '' : `, got ${JSON.stringify(seen)?.slice(0, 60)}`
      return `${issue.path.join('.') || 'the file'}: ${issue.message}${shown}`
    })
    throw badJobFile(file, faults.join('; '))
  }
  const job = parsed.data
  const versions = job.data.map((one) => one.version)
  if (new Set(versions).size !== versions.length)
    throw badJobFile(file, `data: a version is named twice, got ${versions.join(', ')}`)
  if (job.kind === 'tabular' && versions.length < 3) {
    throw badJobFile(
      file,
      `data: a private job needs 3 members at least, or a sum would show a single one's rows; got ${versions.length}`,
    )
  }
  if (job.kind === 'tabular' && job.result.resistance !== undefined) {
    throw badJobFile(
      file,
      `result.resistance: under masks nobody sees a single update, so there is no such record; leave it out, got ${JSON.stringify(job.result.resistance.slice(0, 60))}`,
    )
  }
  if (job.kind === 'tabular' && job.noise && job.noise.dishonest >= versions.length) {
    throw badJobFile(
      file,
      `noise.dishonest: fewer than the ${versions.length} members, or nobody's noise would count; got ${job.noise.dishonest}`,
    )
  }
  if (job.kind === 'tabular' && job.leastMembers !== undefined) {
    const least = leastFor(versions.length, job.noise?.dishonest ?? 0)
    if (job.leastMembers < least || job.leastMembers > versions.length) {
      throw badJobFile(
        file,
        `leastMembers: ${least} to ${versions.length}, since three, more than half of the members and more than noise.dishonest must be left; got ${job.leastMembers}`,
      )
    }
  }
  if (job.kind === 'language' && versions.length !== 1) {
    throw badJobFile(file, `data: a language job trains on one text, got ${versions.length}`)
  }
  if (job.members.quorum > job.members.committeeSize) {
    throw badJobFile(
      file,
      `members.quorum: at most members.committeeSize (${job.members.committeeSize}), got ${job.members.quorum}`,
    )
  }
  if (2 * job.members.quorum <= job.members.committeeSize || job.members.minWitnesses < job.members.quorum) {
    const { quorum, committeeSize, minWitnesses } = job.members
    throw badJobFile(
      file,
      `members.quorum: more than half of members.committeeSize (${committeeSize}) and at most members.minWitnesses (${minWitnesses}), got ${quorum}`,
    )
  }
  return job
}

const badJobFile = (file: string, why: string, cause?: unknown): PotluckError =>
  new PotluckError('BAD_JOB_FILE', `${file}: ${why}. The README of the command lists every field.`, { file }, { cause })

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && key in at
        ? Object.entries(at).find(([name]) => name === String(key))?.[1]
        : undefined,
    value,
  )
}

export function readJobFile(file: string): JobFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const message = `cannot read ${file}: ${(cause as Error).message}; name the job file with --file`
    throw new PotluckError('FILE_MISSING', message, { file }, { cause })
  }
  return parseJobFile(text, file)
}
