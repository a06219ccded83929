import { Setting } from './Setting.ts'

const FORMS =
  'CLIP/MULTIPLIER, as in 0.5/1.1: updates are cut to length 0.5, noise of deviation 0.55 is added to their sum'

/** Noise at the level of a client: the longest an update may be, and the deviation of the noise in that unit. */
export type NoiseWish = { readonly clip: number; readonly multiplier: number }

/** Reads `--noise`. Throws PotluckError BAD_SETTING. */
export function parseNoise(text: string): NoiseWish {
  const whole = new Setting('--noise', text, FORMS)
  const [clip, multiplier, ...rest] = text.split('/')
  if (multiplier === undefined || rest.length > 0) throw whole.refuse('expected two numbers with / between them')
  const read = (part: string, what: string): number =>
    new Setting('--noise', `noise:${part}`, FORMS).number(0, what, { above: 0, most: 1e6 })
  return { clip: read(clip ?? '', 'a length'), multiplier: read(multiplier, 'a multiplier') }
}
