/** The phases of a job by their number on chain, as people read them. */
export const phases = [
  'none',
  'enrolling',
  'training',
  'drawing the beacon',
  'auditing',
  'challenge window',
  'done',
  'cancelled',
] as const

export const phaseName = (phase: number): string => phases[phase] ?? `phase ${phase}`
export const ENROLLING = 1
export const DONE = 6
