import type { Compression } from '@potluck/learning'
import { Setting } from './Setting.ts'

const FORMS =
  'none, dense8, dense4, dense2, topk:KEEP[:FEEDBACK] (KEEP of each 4096 values; FEEDBACK 0, 4, 8 or 32 bits)'
/** Bits in which a client keeps what it has not sent: a quarter of the memory of exact ones. */
const USUAL_FEEDBACK = 8

/** Reads `--compress`. Throws PotluckError BAD_SETTING. */
export function parseCompression(text: string): Compression {
  const setting = new Setting('--compress', text, FORMS)
  switch (setting.name) {
    case 'none':
      setting.expect(0)
      return { kind: 'f32' }
    case 'dense8':
    case 'dense4':
    case 'dense2':
      setting.expect(0)
      return { kind: 'dense', bits: setting.name === 'dense8' ? 8 : setting.name === 'dense4' ? 4 : 2 }
    case 'topk': {
      setting.expect(2)
      const keep = setting.number(0, 'how many of 4096 values are sent', { least: 1, most: 4_096, isWhole: true })
      const bits = setting.number(1, 'bits of feedback', { least: 0, most: 32, isWhole: true }, USUAL_FEEDBACK)
      const feedback = ([0, 4, 8, 32] as const).find((one) => one === bits)
      if (feedback === undefined) throw setting.refuse(`${bits} bits of feedback are not known`)
      return { kind: 'topk', keep, feedback }
    }
    default:
      throw setting.unknown()
  }
}
