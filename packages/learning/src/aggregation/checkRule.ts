import { PotluckError } from '@potluck/protocol'
import type { Compression } from '../compression/Compression.ts'
import type { Rule } from './Rule.ts'

/** Where a rule is to be used. */
export type RuleSetting = {
  /** Members whose updates it aggregates in a round. */
  readonly members: number
  readonly compression: Compression
  /** How many of the members may lie, where the caller knows what it must stand. */
  readonly attackers?: number | undefined
  /** Whether there are reference rows; not checked when left out. */
  readonly hasReference?: boolean | undefined
}

const kinds: Readonly<Record<Rule['kind'], true>> = {
  mean: true,
  weightedMean: true,
  multiKrum: true,
  median: true,
  trimmedMean: true,
  geometricMedian: true,
  centeredClipping: true,
  normBound: true,
  reference: true,
  bucketing: true,
  nearestNeighbours: true,
}
/** Deep enough for every published combination. */
const MOST_NESTED = 3
const BUCKETED = 'centeredClipping in buckets of 2 where fewer than a fifth lie'
/**
 * Refuses a rule that is known to fail in its setting, with the reason and what to take instead (L-37).
 *
 * There is no rule that gates updates by their loss on a probe: in early trials, which no benchmark here repeats, a hard gate lost whole
 * runs with no attacker at all once updates were compressed, and a soft one did worse under ALIE. Loss scores are for pay.
 *
 * @throws PotluckError BAD_RULE for a field out of range, RULE_REFUSED for a combination that fails
 */
export function checkRule(rule: Rule, setting: RuleSetting): void {
  checkNested(rule, setting, 1)
}

function checkNested(rule: Rule, setting: RuleSetting, depth: number): void {
  const { members, compression } = setting
  if (!(typeof rule === 'object' && rule !== null && Object.hasOwn(kinds, rule.kind))) {
    const seen = typeof rule === 'object' && rule !== null ? String(rule.kind).slice(0, 40) : typeof rule
    throw badRule('kind', `one of ${Object.keys(kinds).join(', ')}`, seen)
  }
  if (depth > MOST_NESTED) throw badRule('then', `nested at most ${MOST_NESTED} deep`, depth)
  checkFields(rule, members)
  if ((rule.kind === 'median' || rule.kind === 'trimmedMean') && compression.kind === 'topk') {
    throw refused(
      rule,
      'with top-k compression nearly every value of an update is 0, so the middle of most coordinates is 0 and learning stops or slows, with no attacker at all. Take reference, or send dense updates',
    )
  }
  if (rule.kind === 'multiKrum' && members < 2 * rule.attackers + 3) {
    const most = Math.floor((members - 3) / 2)
    throw refused(
      rule,
      `it needs at least 2 · attackers + 3 members, ${2 * rule.attackers + 3} for ${rule.attackers}, got ${members}. ${most > 0 ? `Expect at most ${most} attackers` : 'Find more members'}, or take reference`,
    )
  }
  if (rule.kind === 'trimmedMean' && members <= 2 * rule.trim) {
    throw refused(rule, `cutting ${rule.trim} at each end leaves none of ${members} members. Cut fewer, or take median`)
  }
  if (rule.kind === 'nearestNeighbours' && members <= 2 * rule.attackers) {
    throw refused(rule, `${rule.attackers} attackers of ${members} members are their own majority. Take reference`)
  }
  if (rule.kind === 'reference' && setting.hasReference === false) {
    throw refused(rule, `there are no reference rows. Name some that everybody may see, or take ${BUCKETED}`)
  }
  checkMajority(rule, setting)
  if (rule.kind === 'bucketing') checkNested(rule.then, { ...setting, members: bucketsOf(rule, setting) }, depth + 1)
  if (rule.kind === 'nearestNeighbours') checkNested(rule.then, setting, depth + 1)
}

const bucketsOf = ({ size }: { size: number }, { members }: RuleSetting): number => Math.ceil(members / size)

/** Rules that know nothing but the updates side with the majority, whoever that is. */
function checkMajority(rule: Rule, setting: RuleSetting): void {
  const { members, attackers = attackersOf(rule) } = setting
  if (rule.kind === 'reference' || rule.kind === 'mean' || rule.kind === 'weightedMean') return
  if (rule.kind === 'bucketing') {
    const buckets = bucketsOf(rule, setting)
    if (2 * attackers < buckets || rule.then.kind === 'reference') return
    throw refused(
      rule,
      `${attackers} attackers may sit in as many of the ${buckets} buckets: a majority. Take buckets of ${Math.max(1, Math.floor((members - 1) / (2 * attackers)))} or reference`,
    )
  }
  if (2 * attackers < members) return
  throw refused(rule, `${attackers} attackers of ${members} members outvote the rest. Take reference`)
}

/** How many attackers a rule, or one in it, says that it stands. */
function attackersOf(rule: Rule): number {
  if (rule.kind === 'trimmedMean') return rule.trim
  if (rule.kind === 'multiKrum' || rule.kind === 'nearestNeighbours') return rule.attackers
  return rule.kind === 'bucketing' && typeof rule.then === 'object' ? attackersOf(rule.then) : 0
}

function checkFields(rule: Rule, members: number): void {
  const whole = (field: string, value: unknown, least: number): void => {
    if (!(Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= 1_000_000)) {
      throw badRule(field, `whole, from ${least} to 1000000`, value)
    }
  }
  const length = (field: string, value: unknown): void => {
    if (value !== undefined && !(typeof value === 'number' && value > 0 && Number.isFinite(value))) {
      throw badRule(field, 'a length above 0, or left out', value)
    }
  }
  whole('members', members, 1)
  if (rule.kind === 'multiKrum' || rule.kind === 'nearestNeighbours') whole('attackers', rule.attackers, 0)
  if (rule.kind === 'multiKrum' && rule.keep !== undefined) {
    whole('keep', rule.keep, 1)
    if (rule.keep > members) throw badRule('keep', `at most the ${members} members`, rule.keep)
  }
  if (rule.kind === 'trimmedMean') whole('trim', rule.trim, 0)
  if (rule.kind === 'bucketing') whole('size', rule.size, 1)
  if (rule.kind === 'centeredClipping') length('radius', rule.radius)
  if (rule.kind === 'normBound') length('bound', rule.bound)
}

const badRule = (field: string, allowed: string, value: unknown): PotluckError =>
  new PotluckError('BAD_RULE', `${field} of a rule must be ${allowed}, got ${String(value).slice(0, 40)}`, { field })

const refused = (rule: Rule, reason: string): PotluckError =>
  new PotluckError('RULE_REFUSED', `${rule.kind} would fail here: ${reason}.`, { rule: rule.kind })
