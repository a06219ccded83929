import type { ResistanceNote } from './documents.ts'

const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(1)} %`

/** What a model's poisoning resistance is called in every place it is shown; a model without a record is not called resistant. */
export function resistanceText(note: ResistanceNote | null | undefined): string {
  if (!note) return 'not measured'
  const { scorePpm, worst, attackersPpm, cleanPpm, worstAccuracyPpm, backdoorPpm } = note
  const backdoor =
    backdoorPpm === undefined ? 'no backdoor tried' : `a backdoor works on ${percent(backdoorPpm)} of triggered rows`
  return `${(scorePpm / 1_000_000).toFixed(3)} of 1 with ${percent(attackersPpm)} lying, decided by ${worst}; right ${percent(worstAccuracyPpm)} at worst, ${percent(cleanPpm)} with nobody lying; ${backdoor}`
}
