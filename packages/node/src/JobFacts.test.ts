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
