import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import type { Compression } from '../compression/Compression.ts'
import { checkRule, type RuleSetting } from './checkRule.ts'
import type { Rule } from './Rule.ts'

const dense: Compression = { kind: 'f32' }
const sparse: Compression = { kind: 'topk', keep: 64, feedback: 8 }
const members = 20
const nested = (outer: object, then: unknown): Rule =>
  Object.assign({}, outer, Object.fromEntries([['then', then]])) as Rule

function refuses(rule: Rule, setting: Partial<RuleSetting>, words: RegExp, code = 'RULE_REFUSED'): void {
  assert.throws(
    () => checkRule(rule, { members, compression: dense, ...setting }),
    (error: Error) => codeOf(error) === code && words.test(error.message),
    `${JSON.stringify(rule)} ${words}`,
  )
}

test('refuses a coordinate median or trimmed mean of sparse updates, also inside another rule [L-37]', () => {
  const says = /middle of most coordinates is 0.*Take reference/
  refuses({ kind: 'median' }, { compression: sparse }, says)
  refuses({ kind: 'trimmedMean', trim: 2 }, { compression: sparse }, says)
  refuses(nested({ kind: 'bucketing', size: 2 }, { kind: 'median' }), { compression: sparse }, says)
  refuses(nested({ kind: 'nearestNeighbours', attackers: 2 }, { kind: 'median' }), { compression: sparse }, says)
})

test('refuses too few members for Krum, for what is trimmed and for mixing [L-37]', () => {
  refuses({ kind: 'multiKrum', attackers: 9 }, {}, /at least .* 21 for 9, got 20. Expect at most 8/)
  refuses({ kind: 'multiKrum', attackers: 1 }, { members: 4 }, /Find more members/)
  refuses({ kind: 'trimmedMean', trim: 10 }, {}, /leaves none of 20/)
  refuses(nested({ kind: 'nearestNeighbours', attackers: 10 }, { kind: 'mean' }), {}, /own majority/)
})

test('refuses buckets in which the liars are a majority, and says how large they may be [L-37]', () => {
  const buckets = nested({ kind: 'bucketing', size: 2 }, { kind: 'centeredClipping' })
  refuses(buckets, { attackers: 5 }, /5 attackers .* 10 buckets.*buckets of 1 or reference/)
  refuses(nested({ kind: 'bucketing', size: 4 }, { kind: 'geometricMedian' }), { attackers: 3 }, /Take buckets of 3/)
  refuses(nested({ kind: 'bucketing', size: 4 }, { kind: 'trimmedMean', trim: 3 }), {}, /majority|leaves none/)
  checkRule(buckets, { members, compression: dense, attackers: 4 })
})

test('refuses a rule that sides with the majority where the liars are it, except by outside data [L-37]', () => {
  for (const rule of [{ kind: 'median' }, { kind: 'geometricMedian' }, { kind: 'normBound' }] as const) {
    refuses(rule, { attackers: 10 }, /outvote the rest. Take reference/)
    checkRule(rule, { members, compression: dense, attackers: 9 })
  }
  checkRule({ kind: 'reference' }, { members, compression: sparse, attackers: 15, hasReference: true })
})

test('refuses the reference rule without reference rows [L-37]', () => {
  refuses({ kind: 'reference' }, { hasReference: false }, /no reference rows.*centeredClipping/)
  refuses(nested({ kind: 'bucketing', size: 2 }, { kind: 'reference' }), { hasReference: false }, /no reference rows/)
})

test('refuses what is no rule, a loss gate among them, with the field and the value seen [L-37]', () => {
  const bad = (rule: unknown, words: RegExp): void => refuses(rule as Rule, {}, words, 'BAD_RULE')
  bad({ kind: 'lossGate' }, /kind .* one of mean.*got lossGate/)
  bad({ kind: 'toString' }, /kind/)
  bad(null, /kind/)
  bad(nested({ kind: 'bucketing', size: 2 }, undefined), /kind .* got undefined/)
  bad({ kind: 'trimmedMean' }, /trim .* whole.*got undefined/)
  bad({ kind: 'trimmedMean', trim: 1.5 }, /got 1.5/)
  bad({ kind: 'multiKrum', attackers: -1 }, /attackers/)
  bad({ kind: 'multiKrum', attackers: 1, keep: 21 }, /keep .* at most the 20/)
  bad(nested({ kind: 'bucketing', size: 0 }, { kind: 'mean' }), /size/)
  bad({ kind: 'centeredClipping', radius: 0 }, /radius/)
  bad({ kind: 'normBound', bound: Number.NaN }, /bound/)
  let deep: Rule = { kind: 'mean' }
  for (let i = 0; i < 4; i++) deep = nested({ kind: 'bucketing', size: 1 }, deep)
  bad(deep, /nested at most 3/)
})

test('accepts what is known to work [L-37]', () => {
  for (const compression of [dense, sparse]) {
    for (const rule of [
      { kind: 'reference' },
      { kind: 'mean' },
      { kind: 'weightedMean' },
      { kind: 'geometricMedian' },
      { kind: 'centeredClipping', radius: 0.5 },
      { kind: 'multiKrum', attackers: 8, keep: 3 },
    ] as const) {
      checkRule(rule, { members, compression })
    }
  }
  checkRule({ kind: 'reference' }, { members: 1, compression: dense })
})
