import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { checkPoisoningResistance, poisoningResistance } from './poisoningResistance.ts'

const grid = {
  rule: '{"kind":"reference"}',
  compression: '{"kind":"f32"}',
  attackers: 0.4,
  seeds: [1, 2],
  clean: { attack: 'none', accuracies: [0.75, 0.85], backdoorSuccess: [0, 0.02] },
  cells: [
    { attack: 'sign-flip', accuracies: [0.8, 0.8] },
    { attack: 'ipm', accuracies: [0.7, 0.5] },
    { attack: 'backdoor', accuracies: [0.9, 0.9], backdoorSuccess: [0.1, 0.12] },
  ],
}

test('is the worst share of the clean accuracy less what a backdoor opens, worked by hand [L-39]', () => {
  // Clean 0.8; worst 0.6 / 0.8 = 0.75; the backdoor works for 0.11 of the rows, for 0.01 without it.
  const { score, worst } = poisoningResistance(grid)
  assert.ok(Math.abs(score - 0.65) < 1e-12)
  assert.equal(worst, 'ipm')
})

test('names the backdoor when that costs more, and stays between 0 and 1 [L-39]', () => {
  const opened = { ...grid.cells[2]!, backdoorSuccess: [1, 0.9] }
  const open = poisoningResistance({ ...grid, cells: [grid.cells[1]!, opened] })
  assert.equal(open.score, 0)
  assert.equal(open.worst, 'backdoor')
  const better = poisoningResistance({ ...grid, cells: [{ attack: 'copy', accuracies: [0.9, 0.9] }] })
  assert.equal(better.score, 1)
})

test('refuses grids that are not whole, and a stored score that its cells do not give [L-39]', () => {
  const bad = (change: object): void =>
    assert.throws(
      () => poisoningResistance({ ...grid, ...change }),
      (error) => codeOf(error) === 'BAD_GRID',
    )
  bad({ cells: [] })
  bad({ seeds: [] })
  bad({ seeds: [1] })
  bad({ attackers: 0 })
  bad({ clean: { attack: 'none', accuracies: [0, 0] } })
  bad({ cells: [{ attack: 'ipm', accuracies: [0.5, Number.NaN] }] })
  const record = poisoningResistance(grid)
  assert.equal(checkPoisoningResistance(JSON.parse(JSON.stringify(record))).score, record.score)
  assert.throws(
    () => checkPoisoningResistance({ ...record, score: 0.9 }),
    (error) => codeOf(error) === 'BAD_GRID',
  )
})
