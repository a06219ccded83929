import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashLeaf, merkleRootOfNodes } from '@potluck/protocol'
import { parameterCount } from '../model/parameterLayout.ts'
import type { Program } from '../program/Program.ts'
import { column, full, ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { tensorRoot } from '../program/stateRoot.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ComputedRecord } from './ElementRecord.ts'
import { traceLayout } from './elementRecords.ts'
import { decodeRecord } from './encodeRecord.ts'
import { operandPlaces } from './evaluateElement.ts'
import { languageJobProgram } from './languageJobProgram.ts'

test('[D-06] [D-07] a job has its header as leaf 0 and the records of both programs after it, under one root', () => {
  const config = { vocabulary: 'abcde', context: 4, width: 4, layers: 1, heads: 2, hidden: 6 }
  const recipe = {
    ...{ config, batch: 2, steps: 5, learningRate: 0.02, weightDecay: 0.1, warmupSteps: 3 },
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, stateEverySteps: 2 },
  }
  const jobSeed = Uint8Array.from({ length: 32 }, (_, i) => i)
  const job = languageJobProgram(
    recipe,
    Uint8Array.from({ length: 40 }, (_, i) => i % 5),
    jobSeed,
    3,
    meanProgram(parameterCount(config), 3),
  )
  const [header, ...records] = job.leaves
  const view = new DataView(header!.buffer)
  const words = Array.from({ length: 16 }, (_, i) => view.getUint32(4 * i))
  const [step, finish, next] = [job.step, job.finish, job.aggregate].map((traced) => traced.records.length)
  const start = [0x504c4b31, 1 + step! + finish! + next!, 1, 5, 2, 0, 40, 3, 3, 0, 1, step, 1 + step!, finish]
  assert.deepEqual(words, [...start, 1 + step! + finish!, next])
  assert.deepEqual(header!.subarray(64, 96), jobSeed)
  assert.deepEqual(header!.subarray(96), tensorRoot(new Float32Array(job.parts[0]!)))
  assert.deepEqual(records.map(decodeRecord), [...job.step.records, ...job.finish.records, ...job.aggregate.records])
  assert.deepEqual(job.root, merkleRootOfNodes(job.leaves.map(hashLeaf)))
  assert.throws(
    () =>
      languageJobProgram(
        { ...recipe, steps: 100, stateEverySteps: 100 },
        Uint8Array.of(0, 1, 2, 3, 4, 0),
        jobSeed,
        3,
        meanProgram(parameterCount(config), 3),
      ),
    /at least every 64 steps/,
  )
  assert.throws(
    () => languageJobProgram(recipe, Uint8Array.of(0, 1, 2, 3, 4, 0), jobSeed, 4, meanProgram(9, 3)),
    /takes updates \[3, 9\], the job has \[4, \d+\]/,
  )
})

/** A rule of aggregation: base − Σ updates, weighed by the reference's own square. */
function meanProgram(P: number, shares: number): Program {
  const builder = new ProgramBuilder()
  const [base, reference] = [builder.input('base', [P]), builder.input('reference', [P])]
  const updates = builder.input('updates', [shares, P])
  const s = new ScalarBuilder('times')
  const times = s.finish(s.multiply(s.input(), s.input()))
  const dots = builder.reduce('rowSum', 'dots', times, shares, P, [full(updates), column(reference)])
  const moved = builder.reduce('columnSum', 'moved', times, shares, P, [full(updates), row(dots)])
  const d = new ScalarBuilder('next')
  const next = d.finish(d.subtract(d.input(), d.input()))
  builder.output('next', builder.map('next', next, 1, P, [full(base), full(moved)], [P]))
  return builder.finish()
}

test('[D-24] the rows of the updates are the parts of one tree, and are read as whole rows only', () => {
  const [P, shares] = [700, 3]
  const sources = {
    base: { kind: 'state', part: 0 },
    reference: { kind: 'reference' },
    updates: { kind: 'updates' },
  } as const
  const { records } = traceLayout(meanProgram(P, shares), {
    ...{ parts: [P], inputs: sources, result: { output: 'next' } },
  })
  const kinds = records.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['before', 'reference', 'updates', 'element', 'element', 'element'])
  const places = (record: number, e: number, k: number) =>
    operandPlaces(records[record] as ComputedRecord, e, k, () => 0).filter(
      (place) => !('word' in place) && place.leaf === 2,
    )
  // Parts of 700 elements have trees of four leaves: row r begins at place r·1024.
  assert.deepEqual(places(3, 2, 699), [{ leaf: 2, index: 2 * 1024 + 699 }])
  assert.deepEqual(places(4, 699, 1), [{ leaf: 2, index: 1024 + 699 }])
  const builder = new ProgramBuilder()
  const updates = builder.input('updates', [shares, P])
  const s = new ScalarBuilder('same')
  builder.output('next', builder.map('next', s.finish(s.input()), 1, shares * P, [full(updates)], [P, shares]))
  assert.throws(
    () => traceLayout(builder.finish(), { parts: [P], inputs: sources, result: { output: 'next' } }),
    /holds rows as parts/,
  )
})
