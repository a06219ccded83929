import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ResistanceNote, resistanceNote } from './documents.ts'
import { resistanceText } from './resistanceText.ts'

const note: ResistanceNote = {
  scorePpm: 831_250,
  worst: 'alie:1.5',
  attackersPpm: 400_000,
  cleanPpm: 736_000,
  worstAccuracyPpm: 611_800,
}

test('a poisoning resistance is told in one line, and its absence too', () => {
  assert.equal(
    resistanceText(note),
    '0.831 of 1 with 40.0 % lying, decided by alie:1.5; right 61.2 % at worst, 73.6 % with nobody lying; no backdoor tried',
  )
  assert.match(resistanceText({ ...note, backdoorPpm: 915_000 }), /; a backdoor works on 91\.5 % of triggered rows$/)
  assert.equal(resistanceText(undefined), 'not measured')
  assert.equal(resistanceText(null), 'not measured')
})

test('a note has whole millionths and no field more [P-10]', () => {
  assert.ok(resistanceNote.safeParse(note).success)
  for (const bad of [
    { ...note, scorePpm: 0.83 },
    { ...note, scorePpm: 1_000_001 },
    { ...note, cleanPpm: -1 },
    { ...note, worst: '' },
    { ...note, backdoorPpm: null },
    { ...note, verified: true },
  ])
    assert.ok(!resistanceNote.safeParse(bad).success, JSON.stringify(bad))
})
