import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openAttackCache } from './attackCache.ts'
import { attackCells, cellKey, seeds } from './attackCells.ts'
import {
  accuraciesOf,
  cleanRow,
  defaultRows,
  errorOf,
  gridRows,
  meanOf,
  resistanceOf,
  stalledSeeds,
} from './attackGrid.ts'
import { compressed, dense, setting } from './attackSetting.ts'
import type { AttackCell, AttackOutcome } from './runAttackCell.ts'
import { attackTables } from './writeAttackTable.ts'

/** 0.9 without liars, 0.8 under ALIE, 0.7 of one seed under copies, else 0.88. */
const outcomeOf = ({ attack, seed }: AttackCell): AttackOutcome => ({
  accuracy:
    attack.kind === 'none' ? 0.9 : attack.kind === 'alie' ? 0.8 : attack.kind === 'copy' && seed === 3 ? 0.7 : 0.88,
  zeroed: 0.1,
  backdoorSuccess: attack.kind === 'backdoor' ? 0.3 : 0.1,
})

test('has every cell once, the default rule against every kind of attack in all seeds', () => {
  const cells = attackCells()
  assert.equal(new Set(cells.map(cellKey)).size, cells.length)
  for (const compression of [dense, compressed]) {
    const attacked = defaultRows(gridRows(outcomeOf), compression)
    const kinds = new Set(attacked.map(({ attack }) => attack.split(':')[0]))
    assert.deepEqual([...kinds].sort(), [
      'adaptive',
      'alie',
      'backdoor',
      'copy',
      'free-rider',
      'ipm',
      'label-flip',
      'mimic',
      'noise',
      'sign-flip',
    ])
    for (const row of attacked) {
      assert.deepEqual(row.seeds, [...seeds])
      assert.equal(row.attackers, 0.4 * setting.clients)
    }
  }
})

test('finds the worst cell, the stalled runs and the score, worked by hand', () => {
  const rows = gridRows(outcomeOf)
  const clean = cleanRow(rows)
  assert.deepEqual(accuraciesOf(clean), [0.9, 0.9, 0.9, 0.9, 0.9])
  assert.equal(stalledSeeds(defaultRows(rows, dense), clean), 1)
  // ALIE keeps 8 of 9 parts; the backdoor opens 0.2 more than there is anyway.
  const { score, worst } = resistanceOf(rows, compressed, setting.clients)
  assert.ok(Math.abs(score - (8 / 9 - 0.2)) < 1e-9)
  assert.equal(worst, 'backdoor')
  assert.ok(Math.abs(meanOf([1, 2, 6]) - 3) < 1e-12)
  // Deviation √7 of three.
  assert.ok(Math.abs(errorOf([1, 2, 6]) - Math.sqrt(7 / 3)) < 1e-12)
})

test('writes tables that mark what lies more than five points below clean', () => {
  const text = attackTables(gridRows(outcomeOf), { reference: 0.25 }).join('\n')
  assert.match(text, /\| alie \| 80\.0 ± 0\.0 ✗ \| 80\.0 ± 0\.0 ✗ \| 10\.0 \|/)
  assert.match(text, /\| ipm \| 88\.0 ± 0\.0 \| 88\.0 ± 0\.0 \|/)
  assert.match(text, /dense: worst is alie.* 10\.0 points below clean.* 1 of \d+ runs stalled/)
  assert.match(text, /\| the reference \| 25\.0 % \|/)
})

test('keeps finished cells between runs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-cells-'))
  after(() => rmSync(dir, { recursive: true }))
  const outcome = { accuracy: 0.5, zeroed: 0, backdoorSuccess: 0 }
  openAttackCache(join(dir, 'cells.jsonl')).add('one', outcome)
  const again = openAttackCache(join(dir, 'cells.jsonl'))
  assert.deepEqual(again.get('one'), outcome)
  assert.equal(again.get('two'), undefined)
})
