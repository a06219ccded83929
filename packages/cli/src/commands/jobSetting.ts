import { dirname, resolve } from 'node:path'
import { checkRecipe, encodeText, type LanguageRecipe, vocabularyOf } from '@potluck/engine'
import { PotluckError, type UpdateEncoding } from '@potluck/protocol'
import type { JobSetting } from '../federated/attack/jobUnderAttack.ts'
import { readTextFile } from '../training/readDataFile.ts'
import type { JobFile, LanguageJobFile } from './jobFile.ts'

/** What the command line says beside the job file, or against it. */
export type JobWishes = {
  /** The training text: the file names it by a version of a network. */
  readonly text?: string | undefined
  readonly clients?: number | undefined
  readonly rounds?: number | undefined
  readonly localSteps?: number | undefined
  readonly batch?: number | undefined
  readonly encoding?: UpdateEncoding | undefined
}

/**
 * What a job file fixes about its training, with the texts read; the rule is that of the network.
 *
 * @throws PotluckError NO_SINGLE_UPDATES for a job under masks; BAD_USAGE, FILE_MISSING and what reading and checking throw
 */
export function readJobSetting(job: JobFile, file: string, wishes: JobWishes): Omit<JobSetting, 'seed'> {
  if (job.kind === 'tabular') throw maskedJob(file)
  const train = readTextFile(wishes.text ?? textMissing(job, file))
  const valid = readTextFile(resolve(dirname(file), job.valid))
  const { vocabulary = vocabularyOf(train + valid), ...shape } = job.network
  const { encoding, ...training } = job.training
  const recipe: LanguageRecipe = {
    config: { vocabulary, ...shape },
    ...training,
    ...(wishes.localSteps === undefined ? {} : { steps: wishes.localSteps }),
    ...(wishes.batch === undefined ? {} : { batch: wishes.batch }),
  }
  checkRecipe(recipe)
  return {
    recipe,
    encoding: wishes.encoding ?? encoding,
    shares: wishes.clients ?? job.shares,
    rounds: wishes.rounds ?? job.rounds,
    train: encodeText(recipe.config, train),
    valid: encodeText(recipe.config, valid),
  }
}

function textMissing({ data }: LanguageJobFile, file: string): never {
  const message = `${file} trains on version ${data[0]?.version} of a network, whose text is not on this machine: name a copy of it with --text FILE`
  throw new PotluckError('BAD_USAGE', message, { file })
}

function maskedJob(file: string): PotluckError {
  const message = `${file} is a tabular job: its members' updates are summed under masks, nobody sees a single one, so none can be weighed or left out and there is nothing to test a rule on: one member that lies shifts the sum. To see what a liar does to your own table, and what groups of members change, \`potluck train --csv FILE --target COLUMN --clients 20 --masks 3 --rule median --attackers 0.1:sign-flip\``
  return new PotluckError('NO_SINGLE_UPDATES', message, { file })
}
