import { type ExactJob, type LanguageRecipe, languageJobProgram, parameterCount } from '@potluck/engine'
import { aggregateProgram } from './aggregateProgram.ts'

/** The program of a language job: its training, and the rule by which its rounds are aggregated. See `languageJobProgram`. */
export const publicJob = (recipe: LanguageRecipe, tokens: Uint8Array, jobSeed: Uint8Array, shares: number): ExactJob =>
  languageJobProgram(recipe, tokens, jobSeed, shares, aggregateProgram(parameterCount(recipe.config), shares))
