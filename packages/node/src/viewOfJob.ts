import { codeOf, drawCommittee, type Hex, type JobDocument } from '@potluck/protocol'
import { RAW } from '@potluck/store'
import type { BlockSources } from './BlockSources.ts'
import { type JobFacts, lower } from './JobFacts.ts'
import type { Drawn, JobMemory } from './JobMemory.ts'
import type { JobStatus, JobTerms, JobView, NodeContext } from './JobView.ts'
import type { JobProgram } from './program/JobProgram.ts'
import { assignShares } from './round/assignShares.ts'
import type { DataOfJob } from './round/refuseData.ts'

/** After a revert the same transaction is not tried again at once: usually another node was first. */
export const RETRY_MS = 750

type Known = {
  context: NodeContext
  facts: JobFacts
  memory: JobMemory
  status: JobStatus
  terms: JobTerms
  document: JobDocument
  program: JobProgram
  data: DataOfJob | undefined
  sources: BlockSources
  blockNumber: bigint
  /** Called when a transaction of the job went out or was refused: its status is another now. */
  onActed(): void
}

/** The job at this moment, as roles see it. Forgets what was said two rounds ago. */
export function viewOfJob(known: Known): JobView {
  const { context, facts, memory, status, terms, document, program, data, blockNumber } = known
  const { ports, inbox, outbox } = context
  const { job } = facts
  const round = status.round
  inbox.enter(job, round)
  for (const old of [round - 1, round - 2]) outbox.drop(`${job}/${old}/`)
  const seed = lower(status.committeeSeed)
  const { committee, assignment } = drawn(facts, memory, seed, terms.committeeSize, program.shares)
  const baseDigest = lower(status.finalRounds > 0 ? status.finalStateDigest : terms.baseDigest)
  const sources = (...first: (string | undefined)[]): string[] => known.sources.all(...first)
  return {
    ...context,
    job,
    facts,
    status: {
      ...status,
      beacon: lower(status.beacon),
      directHash: lower(status.directHash),
      setRoot: lower(status.setRoot),
      proposalHash: lower(status.proposalHash),
    },
    terms,
    document,
    program,
    residencies: data?.residencies ?? new Map(),
    round,
    committee,
    assignment,
    nowMs: ports.clock.nowMs(),
    blockNumber,
    baseDigest,
    baseRoot: lower(status.finalRounds > 0 ? status.finalStateRoot : terms.baseRoot),
    baseState: () => ports.fetch(baseDigest, RAW, sources()),
    sources,
    act: (what, send) => act(known, round, what, send),
  }
}

/** Drawn anew only when something they follow from has changed. */
function drawn(facts: JobFacts, memory: JobMemory, seed: Hex, committeeSize: number, shares: number): Drawn {
  const standing = facts.due.filter((worker) => !facts.expelled.has(worker))
  const key = [seed, facts.witnesses.length, shares, ...standing].join()
  if (memory.drawn?.key === key) return memory.drawn
  const places = drawCommittee(seed, facts.witnesses.length, committeeSize)
  const committee = places.map((i) => facts.witnesses[i] as Hex)
  memory.drawn = { key, committee, assignment: assignShares(seed, standing, shares) }
  return memory.drawn
}

async function act(
  { context, facts, memory, onActed }: Known,
  round: number,
  what: string,
  send: () => Promise<unknown>,
): Promise<boolean> {
  const { clock, log } = context.ports
  const { job } = facts
  const key = `${what}/${round}`
  const now = clock.nowMs()
  if (now - (memory.acted.get(key) ?? 0) < RETRY_MS) return false
  memory.acted.set(key, now)
  try {
    await send()
    log('info', what, { job, round })
    onActed()
    return true
  } catch (error) {
    if (codeOf(error) !== 'REVERTED') throw error
    log('debug', `${what}: refused`, { job, round, why: (error as Error).message })
    onActed()
    return false
  } finally {
    memory.acted.set(key, clock.nowMs())
  }
}
