import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex, JobDocument } from '@potluck/protocol'
import { JobRole } from '../JobFacts.ts'
import { Phase } from '../JobView.ts'
import { mayEnrol, rolesToTake } from './enrolment.ts'

const exact = { kind: 'language' } as JobDocument
const secret = { kind: 'tabular', members: [7] } as JobDocument
const all = JobRole.worker | JobRole.validator | JobRole.witness

test('a machine that computes something else takes no exact work and audits none, but may witness [E-02]', () => {
  assert.deepEqual(rolesToTake({ roles: all }, exact, []), [JobRole.worker, JobRole.validator, JobRole.witness])
  assert.deepEqual(rolesToTake({ roles: all }, exact, [], false), [JobRole.witness])
})

test('private jobs, which nobody recomputes, do not ask for it', () => {
  assert.deepEqual(rolesToTake({ roles: all }, secret, [7], false), [
    JobRole.worker,
    JobRole.validator,
    JobRole.witness,
  ])
  assert.deepEqual(rolesToTake({ roles: all }, secret, [], false), [JobRole.validator, JobRole.witness])
})

test('a worker may join a public job that is under way while rounds are to come, nobody else and no private job [P-56]', () => {
  const node = `0x${'aa'.repeat(20)}` as const
  const facts = { expelled: new Set<Hex>() }
  const terms = { rounds: 3, trustClass: 0 }
  const may = (phase: number, round: number, roles: number, more = terms, of = facts): boolean =>
    mayEnrol({ phase, round }, more, of, { node, roles })
  assert.ok(may(Phase.enrolling, 0, JobRole.validator))
  assert.ok(may(Phase.open, 0, JobRole.worker))
  assert.ok(may(Phase.challenge, 1, JobRole.worker))
  assert.ok(!may(Phase.open, 2, JobRole.worker))
  assert.ok(!may(Phase.done, 0, JobRole.worker))
  assert.ok(!may(Phase.open, 0, JobRole.validator | JobRole.witness))
  assert.ok(!may(Phase.open, 0, JobRole.worker | 32))
  assert.ok(!may(Phase.open, 0, JobRole.worker, { ...terms, trustClass: 2 }))
  assert.ok(!may(Phase.open, 0, JobRole.worker, terms, { expelled: new Set([node]) }))
})
