import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { config, local, outer, setting } from './attackSetting.ts'
import type { AttackOutcome } from './runAttackCell.ts'

/**
 * Outcomes of finished cells, so that a grid of hours can be computed in pieces. A line of JSON each; never committed. It knows the
 * setting it belongs to, but not the code: remove the file after a change of anything that computes.
 */
export type AttackCache = {
  get(key: string): AttackOutcome | undefined
  add(key: string, outcome: AttackOutcome): void
}

export const cacheFile = fileURLToPath(
  new URL('../../../node_modules/.cache/potluck/attack-cells.jsonl', import.meta.url),
)

export function openAttackCache(file = cacheFile): AttackCache {
  const of = toHex(sha256(utf8(JSON.stringify([setting, config, local, outer])))).slice(2, 18)
  const known = new Map<string, AttackOutcome>()
  if (existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue
      const entry = JSON.parse(line) as { of: string; key: string; outcome: AttackOutcome }
      if (entry.of === of) known.set(entry.key, entry.outcome)
    }
  }
  mkdirSync(dirname(file), { recursive: true })
  return {
    get: (key) => known.get(key),
    add: (key, outcome) => {
      known.set(key, outcome)
      appendFileSync(file, `${JSON.stringify({ of, key, outcome })}\n`)
    },
  }
}
