import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { applyRule } from '../aggregation/applyRule.ts'
import { formGroups } from './formGroups.ts'
import { defaultTolerance } from './planGraph.ts'
import { revealed } from './revealed.ts'
import { decodeRing, encodeRing } from './ringFixed.ts'
import { sumInMemory } from './sumInMemory.ts'
import { setUpSum } from './sumPlan.ts'
import { hash, memberOf, named, testCrypto } from './testGroup.ts'

const length = 8

/** Each honest member's update is 1 everywhere, give or take its number; attackers send the opposite, fifty times as long. */
function groupMeans(ids: readonly string[], attackers: readonly string[]): { means: Float32Array[]; sizes: number[] } {
  const { groups } = formGroups(ids, new Map(ids.map((id) => [id, ids])), sha256(utf8('beacon')), 3)
  const sums = groups.map((members) => {
    const format = { bits: 32, fractionBits: 16, members: members.length } as const
    const words = new Map(
      members.map((id) => {
        const value = attackers.includes(id) ? -50 : 1 + ids.indexOf(id) / 1000
        return [id, encodeRing(new Float32Array(length).fill(value), format)]
      }),
    )
    const plan = {
      job: `group of ${members[0]}`,
      round: 1,
      attempt: 1,
      base: hash('base'),
      bits: 32,
      rounds: 8,
    } as const
    const setup = setUpSum({ ...plan, members, length, seed: toHex(sha256(utf8('seed'))), ...defaultTolerance(3) })
    const owners = members.map((id) => memberOf(id, ids))
    return decodeRing(sumInMemory(setup, owners, words, testCrypto), format)
  })
  const sizes = groups.map((group) => group.length)
  return { means: sums.map((sum, g) => Float32Array.from(sum, (value) => value / sizes[g]!)), sizes }
}

test('stands attackers in fewer than half the groups by a median over group sums, and not in half of them [L-52]', () => {
  const ids = named(15)
  const seed = sha256(utf8('rule'))
  const { groups } = formGroups(ids, new Map(ids.map((id) => [id, ids])), sha256(utf8('beacon')), 3)
  const { spoiltGroups } = revealed(3, defaultTolerance(3), { groups: groups.length })
  assert.equal(spoiltGroups, 2)
  const firstOf = (count: number): string[] => groups.slice(0, count).map((group) => group[0]!)
  for (const spoilt of [0, 1, 2]) {
    const { means, sizes } = groupMeans(ids, firstOf(spoilt))
    const { update } = applyRule({ kind: 'median' }, { updates: means, sizes, seed })
    for (const value of update) assert.ok(value > 1 && value < 1.02, `${spoilt} spoilt: ${value}`)
  }
  const { means, sizes } = groupMeans(ids, firstOf(3))
  const broken = applyRule({ kind: 'median' }, { updates: means, sizes, seed })
  assert.ok(broken.update[0]! < -10)
  // One attacker is enough against the plain mean.
  const one = groupMeans(ids, firstOf(1))
  assert.ok(applyRule({ kind: 'mean' }, { updates: one.means, sizes: one.sizes, seed }).update[0]! < 0)
})
