import { type LocalMethod, SCAFFOLD_SHARE } from '@potluck/learning'
import { Setting } from './Setting.ts'

const FORMS = 'plain, fedprox[:MU], scaffold[:SHARE], scaled-scaffold[:SHARE]'

/** Reads `--method`. Throws PotluckError BAD_SETTING. */
export function parseMethod(text: string): LocalMethod {
  const setting = new Setting('--method', text, FORMS)
  switch (setting.name) {
    case 'plain':
      setting.expect(0)
      return { kind: 'plain' }
    case 'scaffold':
    case 'scaled-scaffold': {
      setting.expect(1)
      const share = setting.number(0, 'how much of a round its memory takes', { above: 0, most: 1 }, SCAFFOLD_SHARE)
      return { kind: 'scaffold', share, ...(setting.name === 'scaffold' ? {} : { isScaled: true }) }
    }
    case 'fedprox':
      setting.expect(1)
      return { kind: 'proximal', mu: setting.number(0, 'the pull to the base', { above: 0, most: 999 }, 0.01) }
    default:
      throw setting.unknown()
  }
}
