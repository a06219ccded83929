import { type ExactJob, type LanguageRecipe, languageJobProgram, parameterCount } from '@potluck/engine'
import type { UpdateEncoding } from '@potluck/protocol'
import { encodedUpdateProgram } from '../encoding/encodedUpdateProgram.ts'
import { aggregateProgram } from './aggregateProgram.ts'

/** The program of a language job: its training, how its updates are encoded, and how rounds are aggregated. See `languageJobProgram`. */
export function publicJob(
  recipe: LanguageRecipe,
  tokens: Uint8Array,
  jobSeed: Uint8Array,
  shares: number,
  encoding: UpdateEncoding = 'f32',
): ExactJob {
  const P = parameterCount(recipe.config)
  const finish = encodedUpdateProgram(P, encoding)
  return languageJobProgram(recipe, tokens, jobSeed, shares, aggregateProgram(P, shares), finish)
}
