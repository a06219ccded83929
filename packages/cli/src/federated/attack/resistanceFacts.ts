import { existsSync } from 'node:fs'
import type { RunLayout } from '../../training/trainingFolder.ts'
import type { PreparedFederation } from '../prepareFederated.ts'
import type { ResistanceFacts } from '../report/resistanceSection.ts'
import { settingHash } from '../runFile.ts'
import { readResistance } from './resistanceFile.ts'

/** In the folder of a run: what `potluck attack` found about it. */
export const RESISTANCE_FILE = 'resistance.json'

/** What is known of a run's resistance to poisoning, and what to do where nothing is. Throws BAD_RESISTANCE. */
export function resistanceFacts(layout: Pick<RunLayout, 'in'>, prepared: PreparedFederation): ResistanceFacts {
  const file = layout.in(RESISTANCE_FILE)
  const found = existsSync(file) ? readResistance(file) : null
  const record = found?.setting === settingHash(prepared.file) ? found : null
  const other = found && !record ? `; ${file} is of another setting` : ''
  return { record, how: `${whyNoScore(prepared) ?? `\`potluck attack ${layout.in('')}\` measures it`}${other}` }
}

/** Why no score is defined for a federation; undefined where one is. */
export function whyNoScore({ run, options }: Pick<PreparedFederation, 'run' | 'options'>): string | undefined {
  if (run.model.target.kind !== 'classes')
    return 'the score compares shares of right answers: a number to predict has none'
  if (options.personal)
    return 'the score is about one common model: with --personal-head every client has its own, judged on its own rows'
  if (options.buffered)
    return 'without rounds (--buffered) there is nothing that liars could answer to: they see the updates of a round'
  return undefined
}
