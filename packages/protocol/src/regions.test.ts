import assert from 'node:assert/strict'
import { test } from 'node:test'
import { country, isWithin, regionGroups, residency } from './regions.ts'

test('a country is within itself and the groups it belongs to, a node that names none is nowhere [P-55]', () => {
  assert.ok(isWithin('DE', ['DE']))
  assert.ok(isWithin('DE', ['CH', 'EU']))
  assert.ok(isWithin('NO', ['EEA']))
  assert.ok(!isWithin('NO', ['EU']))
  assert.ok(!isWithin('CH', ['EEA']))
  assert.ok(!isWithin(undefined, ['EU']))
  assert.ok(!isWithin('toString', ['constructor']))
  assert.deepEqual([regionGroups.EU?.length, regionGroups.EEA?.length], [27, 30])
})

test('anything but countries and known groups is refused, and a node is in one country', () => {
  assert.ok(residency.safeParse(['EU', 'CH']).success)
  for (const bad of [[], ['Germany'], ['de'], ['ASIA'], ['E'], [7], 'EU']) assert.ok(!residency.safeParse(bad).success)
  assert.ok(country.safeParse('CH').success)
  for (const bad of ['EU', 'EEA', 'ch', '', 'CHE']) assert.ok(!country.safeParse(bad).success)
})
