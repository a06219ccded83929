import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobDocument } from '@potluck/protocol'
import { JobRole } from '../JobFacts.ts'
import { rolesToTake } from './enrolment.ts'

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
