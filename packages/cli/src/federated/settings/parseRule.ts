import type { Rule } from '@potluck/learning'
import { Setting } from './Setting.ts'

const FORMS =
  'mean, weighted, median, trimmed:SHARE, krum:ATTACKERS, geometric, clip[:RADIUS], bound[:LENGTH], reference, bucket:SIZE:RULE, neighbours:ATTACKERS:RULE'

/**
 * Reads `--rule`. Attackers and what is trimmed are a share of the members below 1, or a number of them.
 *
 * @param members of a round
 * @throws PotluckError BAD_SETTING
 */
export function parseRule(text: string, members: number): Rule {
  const setting = new Setting('--rule', text, FORMS)
  const { name } = setting
  const countOf = (index: number, what: string): number => {
    const value = setting.number(index, what, { above: 0, most: members })
    if (value < 1) return Math.floor(value * members)
    if (Number.isInteger(value)) return value
    throw setting.refuse(`expected ${what}, a share below 1 or a whole number, got ${value}`)
  }
  const then = (index: number): Rule => {
    const rest = setting.values.slice(index).join(':')
    if (rest === '') throw setting.refuse(`${name} needs a rule to follow it`)
    return parseRule(rest, members)
  }
  switch (name) {
    case 'mean':
    case 'median':
    case 'reference':
      setting.expect(0)
      return { kind: name }
    case 'weighted':
      setting.expect(0)
      return { kind: 'weightedMean' }
    case 'geometric':
      setting.expect(0)
      return { kind: 'geometricMedian' }
    case 'trimmed':
      setting.expect(1)
      return { kind: 'trimmedMean', trim: countOf(0, 'what is cut at each end') }
    case 'krum':
      setting.expect(1)
      return { kind: 'multiKrum', attackers: countOf(0, 'how many attackers are tolerated') }
    case 'clip': {
      setting.expect(1)
      if (setting.values.length === 0) return { kind: 'centeredClipping' }
      return { kind: 'centeredClipping', radius: setting.number(0, 'a radius', { above: 0, most: 1e6 }) }
    }
    case 'bound': {
      setting.expect(1)
      if (setting.values.length === 0) return { kind: 'normBound' }
      return { kind: 'normBound', bound: setting.number(0, 'a length', { above: 0, most: 1e6 }) }
    }
    case 'bucket': {
      const size = setting.number(0, 'how many updates make one', { least: 2, most: members, isWhole: true })
      // biome-ignore lint/suspicious/noThenProperty: the rule that follows, as Rule names it
      return { kind: 'bucketing', size, then: then(1) }
    }
    case 'neighbours':
      // biome-ignore lint/suspicious/noThenProperty: as above
      return { kind: 'nearestNeighbours', attackers: countOf(0, 'how many attackers are tolerated'), then: then(1) }
    default:
      throw setting.unknown()
  }
}
