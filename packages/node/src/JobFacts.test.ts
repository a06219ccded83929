import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '@potluck/chain'
import { foldJobEvent, type JobFacts } from './JobFacts.ts'

const event = (name: string, args: Record<string, unknown>): ChainEvent =>
  ({ contract: 'jobs', name, args: { jobId: 1n, ...args } }) as unknown as ChainEvent

test('counts convicted workers and proposers in one order, each node once, as the contract does [C-71]', () => {
  const jobs = new Map<number, JobFacts>()
  for (const each of [
    event('Convicted', { worker: '0xBB' }),
    event('ProposalConvicted', { proposer: '0xAA' }),
    event('Convicted', { worker: '0xCC' }),
    event('ProposalConvicted', { proposer: '0xBB' }),
  ]) {
    foldJobEvent(jobs, each)
  }
  assert.deepEqual([...(jobs.get(1)?.expelled ?? [])], ['0xbb', '0xaa', '0xcc'])
})

test('shares are due from the workers that had enrolled when the opening began; later ones wait for the next [P-56]', () => {
  const jobs = new Map<number, JobFacts>()
  const enrolled = (node: string, index: number) => event('Enrolled', { node, role: 1, index })
  const opened = (attempt: number) => event('RoundOpened', { round: 0, attempt, committeeSeed: '0x' })
  const fold = (...events: ChainEvent[]) => {
    for (const each of events) foldJobEvent(jobs, each)
    return jobs.get(1)
  }
  assert.deepEqual(fold(enrolled('0xAA', 0), enrolled('0xBB', 1))?.due, [])
  assert.deepEqual(fold(opened(1), enrolled('0xCC', 2))?.due, ['0xaa', '0xbb'])
  assert.deepEqual(jobs.get(1)?.workers, ['0xaa', '0xbb', '0xcc'])
  assert.deepEqual(fold(opened(2))?.due, ['0xaa', '0xbb', '0xcc'])
})
