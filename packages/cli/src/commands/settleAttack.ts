import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Partition, parsePartition } from '@potluck/learning'
import { PotluckError, type UpdateEncoding, updateEncodings } from '@potluck/protocol'
import type { JobSetting } from '../federated/attack/jobUnderAttack.ts'
import { type RunFile, readRunFile } from '../federated/runFile.ts'
import type { FederatedWishes } from '../federated/settings/FederatedWishes.ts'
import type { RunOptions } from '../training/prepareRun.ts'
import { readJobFile } from './jobFile.ts'
import { type JobWishes, readJobSetting } from './jobSetting.ts'

/** What the command line says; nothing in it that was not given. */
export type AttackGiven = Partial<Omit<RunOptions, 'site'>> & Omit<FederatedWishes, 'attackers'>

/** What is to be attacked. */
export type AttackTarget =
  | {
      readonly kind: 'federation'
      readonly options: RunOptions & FederatedWishes
      readonly how: Partition
      /** The run whose setting it is, untouched; undefined where there is none or something was changed. */
      readonly own: OwnRun | undefined
    }
  | { readonly kind: 'job'; readonly setting: Omit<JobSetting, 'seed'> }

/** A run by its folder, and what it recorded. */
export type OwnRun = { readonly folder: string; readonly recorded: RunFile }

const usual = {
  header: 'auto',
  ignore: [],
  categorical: [],
  tokenizer: 'chars',
  recompute: false,
  seed: 1,
  rule: 'reference',
} as const
const USUAL_CLIENTS = 20

/** Those that change the training of a run: with one of them, what is measured is not that run. A seed of its own is no change. */
const harmless = ['seed', 'threads', 'executor']

/**
 * What a person means: data named on the command line, the folder of a run, or the file of a job; what is given goes before what was recorded.
 *
 * @throws PotluckError FILE_MISSING, NO_RUN, BAD_RUN, BAD_JOB_FILE, NO_SINGLE_UPDATES, BAD_USAGE, BAD_PARTITION
 */
export function settleAttack(subject: string | undefined, given: AttackGiven): AttackTarget {
  if (subject === undefined) return federation({ ...usual, ...given }, undefined)
  if (!existsSync(subject)) throw missing(subject)
  if (!statSync(subject).isDirectory()) {
    return { kind: 'job', setting: readJobSetting(readJobFile(subject), subject, jobWishes(given)) }
  }
  const run = readRunFile(subject)
  const { version: _, dataHash: __, ...recorded } = run
  checkFiles(recorded, given, subject)
  const changed = Object.keys(given).filter((name) => !harmless.includes(name))
  return federation(
    { ...usual, ...overridden(recorded, given), ...given },
    changed.length === 0 ? { folder: subject, recorded: run } : undefined,
  )
}

function federation(options: RunOptions & FederatedWishes, own: OwnRun | undefined): AttackTarget {
  const how = parsePartition(options.partition ?? 'iid')
  const clients = options.clients ?? (how.kind === 'column' ? undefined : USUAL_CLIENTS)
  return { kind: 'federation', options: { ...options, clients }, how, own }
}

const kinds = ['text', 'csv', 'images'] as const
type Recorded = Omit<RunFile, 'version' | 'dataHash'>

/** What of a record still holds beside what is given: who names other data means none of the numbers chosen for the old. */
function overridden(recorded: Recorded, given: AttackGiven): AttackGiven {
  const isOtherData = kinds.some((kind) => given[kind] !== undefined && recorded[kind] === undefined)
  if (isOtherData) {
    const { perRound, buffered, rule, compress, outer, method, masks, noise, localSteps, partition } = recorded
    const kept = { perRound, buffered, rule, compress, outer, method, masks, noise, localSteps, partition }
    return defined(kept)
  }
  const { rate, clients, ...rest } = recorded
  const known = {
    ...rest,
    ...(given.model !== undefined || given.optimizer !== undefined ? {} : { rate }),
    ...(given.partition?.startsWith('by-column') || clients === undefined ? {} : { clients }),
  }
  return defined(known)
}

const defined = (fields: object): AttackGiven =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Files that were recorded and are to be read again. */
function checkFiles(recorded: Recorded, given: AttackGiven, folder: string): void {
  if (kinds.some((kind) => given[kind] !== undefined && recorded[kind] === undefined)) return
  for (const name of ['text', 'csv', 'images', 'labels', 'base'] as const) {
    const file = recorded[name]
    if (file === undefined || name in given || existsSync(file)) continue
    const message = `${join(folder, 'run.json')} was trained with --${name} ${file}, which is not there now: ${name === 'base' ? 'put it back' : `say where it lies with --${name} FILE`}`
    throw new PotluckError('FILE_MISSING', message, { file, folder })
  }
}

/** Options that a job fixes otherwise are refused: its rule is that of the network. */
function jobWishes(given: AttackGiven): JobWishes {
  const { text, clients, rounds, localSteps, batch, compress, ...others } = given
  const strange = Object.keys(others).find((name) => !harmless.includes(name))
  if (strange !== undefined) {
    const flag = `--${strange.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    const message = `${flag} does not go with a job file: the file and the network's own rule fix it; what can be changed is --text, --clients (the shares), --rounds, --local-steps, --batch and --compress`
    throw new PotluckError('BAD_USAGE', message, { option: flag })
  }
  return {
    text,
    clients,
    rounds,
    localSteps,
    batch,
    encoding: compress === undefined ? undefined : encodingOf(compress),
  }
}

function encodingOf(text: string): UpdateEncoding {
  const encoding = updateEncodings.find((one) => one === (text === 'none' ? 'f32' : text))
  if (encoding) return encoding
  const message = `--compress ${text.slice(0, 40)}: the updates of a job travel as none, dense8, dense4 or dense2`
  throw new PotluckError('BAD_SETTING', message, { seen: text.slice(0, 40) })
}

function missing(subject: string): PotluckError {
  const isId = /^(job\/|potluck\/)?\d+$/.test(subject)
  const message = isId
    ? `there is no file or folder ${subject}: a job of a network is attacked by its job file, a model by the folder that \`potluck train --clients N\` wrote`
    : `there is no file or folder ${subject}: name a folder that \`potluck train --clients N\` wrote, or a job file`
  return new PotluckError('FILE_MISSING', message, { file: subject })
}
