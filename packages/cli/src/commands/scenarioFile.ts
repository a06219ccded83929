/**
 * The scenario file of `potluck simulate`, in YAML or JSON. Every field has its unit in its name or beside it in the README of packages/sim,
 * and a test holds the two together. What is left out has the default of `defaultScenario`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseAttack, parsePartition, partitionText } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import {
  builtInScenarioFile,
  builtInScenarios,
  checkScenario,
  defaultScenario,
  type Scenario,
} from '@potluck/sim/scenario'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseCompression } from '../federated/settings/parseCompression.ts'
import { parseRule } from '../federated/settings/parseRule.ts'

const usual = defaultScenario
const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const ms = (least = 0) => whole(least, 1e12)
const part = z.number().min(0).max(1)
const name = z.string().min(1).max(60)
const mbit = z.number().positive().max(1e6)

const region = z.object({ name, part, upMbit: mbit, downMbit: mbit }).strict()
const liars = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('attack'), part, attack: z.string().max(60) }).strict(),
  z.object({ kind: z.literal('garbage'), part }).strict(),
  z.object({ kind: z.literal('spoil'), part }).strict(),
])

const nested = {
  links: z
    .object({
      nearMs: ms().default(usual.links.nearMs),
      farMs: ms().default(usual.links.farMs),
      jitterPart: z.number().min(0).max(100).default(usual.links.jitterPart),
      lossPart: z.number().min(0).lt(1).default(usual.links.lossPart),
    })
    .strict(),
  disk: z
    .object({
      fsyncMs: z.number().min(0).max(60_000).default(usual.disk.fsyncMs),
      megabytesPerSecond: z.number().positive().max(1e6).default(usual.disk.megabytesPerSecond),
    })
    .strict(),
  model: z
    .object({
      hidden: z
        .array(whole(1, 4_096))
        .max(8)
        .default([...usual.model.hidden]),
    })
    .strict(),
  training: z
    .object({
      steps: whole(1, 10_000).default(usual.training.steps),
      batch: whole(1, 4_096).default(usual.training.batch),
      learningRate: z.number().positive().max(100).default(usual.training.learningRate),
    })
    .strict(),
  speed: z
    .object({
      least: z.number().positive().max(1e6).default(usual.speed.least),
      most: z.number().positive().max(1e6).default(usual.speed.most),
    })
    .strict(),
  data: z
    .object({
      rowsPerWorker: whole(1, 1_000_000).default(usual.data.rowsPerWorker),
      validationRows: whole(1, 1_000_000).default(usual.data.validationRows),
      referenceRows: whole(1, 1_000_000).default(usual.data.referenceRows),
      partition: z.string().max(60).default(partitionText(usual.data.partition)),
    })
    .strict(),
  deadline: z
    .object({
      factor: z.number().min(0).max(1_000).default(usual.deadline.factor),
      leastSlackMs: ms().default(usual.deadline.leastSlackMs),
      leastMs: ms().default(usual.deadline.leastMs),
      mostMs: ms(1).default(usual.deadline.mostMs),
    })
    .strict(),
  churn: z
    .object({
      late: whole(0, 100_000).default(usual.churn.late),
      joinPerRound: whole(0, 100_000).default(usual.churn.joinPerRound),
      leavePart: part.default(usual.churn.leavePart),
    })
    .strict(),
  crashes: z
    .object({
      workerPart: part.default(usual.crashes.workerPart),
      keepers: z.boolean().default(usual.crashes.keepers),
      downMs: ms().default(usual.crashes.downMs),
    })
    .strict(),
  limits: z
    .object({
      idleMs: ms(1).default(usual.limits.idleMs),
      simulatedMs: ms(1).default(usual.limits.simulatedMs),
      realMs: ms(1).default(usual.limits.realMs),
    })
    .strict(),
}

const optional = {
  buffered: z.object({ size: whole(1, 100_000), staleness: whole(0, 100_000) }).strict(),
}

const schema = z
  .object({
    name: name.default(usual.name),
    seed: whole(0, 2 ** 31 - 1).default(usual.seed),
    rounds: whole(1, 100_000).default(usual.rounds),
    workers: whole(1, 20_000).default(usual.workers),
    keepers: whole(1, 64).default(usual.keepers),
    regions: z
      .array(region)
      .min(1)
      .max(64)
      .default([...usual.regions]),
    blockMs: ms(1).default(usual.blockMs),
    pieces: z.union([z.literal(1), z.literal(2), z.literal(4)]).default(usual.pieces),
    reassign: z.boolean().default(usual.reassign),
    assign: z.enum(['equal', 'speed']).default(usual.assign),
    compression: z.string().max(60).default('topk:64'),
    rule: z.string().max(200).default('weighted'),
    aggregate: z.enum(['flat', 'regional']).default(usual.aggregate),
    buffered: optional.buffered.optional(),
    outerRate: z.number().positive().max(100).default(usual.outerRate),
    partitions: z
      .array(z.object({ round: whole(1, 100_000), region: name, afterMs: ms(), forMs: ms() }).strict())
      .max(100)
      .default([]),
    liars: z.array(liars).max(20).default([]),
    recompute: z.enum(['once', 'everyone']).default(usual.recompute),
    links: nested.links.default({}),
    disk: nested.disk.default({}),
    model: nested.model.default({}),
    training: nested.training.default({}),
    speed: nested.speed.default({}),
    data: nested.data.default({}),
    deadline: nested.deadline.default({}),
    churn: nested.churn.default({}),
    crashes: nested.crashes.default({}),
    limits: nested.limits.default({}),
  })
  .strict()

/** Every field of the scenario file with its path, for the documentation's test. */
export function scenarioFields(): string[] {
  const inner = Object.entries({ ...nested, ...optional }).flatMap(([name, { shape }]) =>
    Object.keys(shape).map((key) => `${name}.${key}`),
  )
  return [...Object.keys(schema.shape).filter((name) => !Object.hasOwn(nested, name)), ...inner]
}

export type ScenarioWishes = { readonly seed?: number; readonly rounds?: number; readonly workers?: number }

/**
 * A scenario from text.
 *
 * @param wishes take the place of what the file says
 * @throws PotluckError BAD_SCENARIO with the file, each wrong field, what was expected and the value seen
 */
export function parseScenario(text: string, file: string, wishes: ScenarioWishes = {}): Scenario {
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 10 })
  } catch (cause) {
    throw badScenario(file, `no YAML or JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = schema.safeParse(typeof value === 'object' && value !== null ? { ...value, ...wishes } : value)
  if (!parsed.success) {
    const faults = parsed.error.issues
      .slice(0, 4)
      .map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
    throw badScenario(file, faults.join('; '))
  }
  const { rule, compression, data, liars, ...rest } = parsed.data
  try {
    const scenario: Scenario = {
      ...rest,
      rule: parseRule(rule, rest.workers),
      compression: parseCompression(compression),
      data: { ...data, partition: parsePartition(data.partition) },
      liars: liars.map((one) => (one.kind === 'attack' ? { ...one, attack: parseAttack(one.attack) } : one)),
    }
    checkScenario(scenario)
    return scenario
  } catch (cause) {
    throw badScenario(file, (cause as Error).message, cause)
  }
}

const badScenario = (file: string, why: string, cause?: unknown): PotluckError =>
  new PotluckError(
    'BAD_SCENARIO',
    `${file}: ${why}. The README of packages/sim lists every field.`,
    { file },
    { cause },
  )

/** The scenario in a file, or the built-in one of this name. */
export function readScenario(fileOrName: string, wishes: ScenarioWishes = {}): Scenario {
  const names = builtInScenarios()
  const file = names.includes(fileOrName) && !existsSync(fileOrName) ? builtInScenarioFile(fileOrName) : fileOrName
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const message = `cannot read ${file}: ${(cause as Error).message}; name a file, or one of ${names.join(', ')}`
    throw new PotluckError('FILE_MISSING', message, { file }, { cause })
  }
  return parseScenario(text, file, wishes)
}
