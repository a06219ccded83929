import { codeOf, type JobDocument, jobDocument } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'
import type { BlockSources } from './BlockSources.ts'
import type { ChainHistory } from './ChainHistory.ts'
import { decodeDocument } from './decodeDocument.ts'
import { hasOpenDispute, type JobFacts, JobRole, lower } from './JobFacts.ts'
import type { JobMemory } from './JobMemory.ts'
import { type JobStatus, type JobTerms, type NodeContext, Phase } from './JobView.ts'
import type { ProgramOf, Role } from './Role.ts'
import { dataOfJob } from './roles/dataOfJob.ts'
import { enrol, mayEnrol, rolesToTake } from './roles/enrolment.ts'
import { type DataOfJob, refuseData } from './round/refuseData.ts'
import { RETRY_MS, viewOfJob } from './viewOfJob.ts'

/** Between tries to join a job that is under way. */
const LATE_MS = 20_000
/** A status is read again after this long even without an event. */
const STATUS_MS = 5_000

export type DeskOptions = {
  roles: readonly Role[]
  programOf: ProgramOf
  isExact: () => Promise<boolean>
  sources: BlockSources
  /** The chain's head, as last read. */
  blockNumber: () => bigint
}

/** What the node does about each job of the chain: keeps out, enrols, or lets each of its roles look. */
export class JobDesk {
  #context: NodeContext
  #history: ChainHistory
  #options: DeskOptions
  #jobs = new Map<number, JobMemory>()
  #isEngaged = false

  constructor(context: NodeContext, history: ChainHistory, options: DeskOptions) {
    this.#context = context
    this.#history = history
    this.#options = options
  }

  /** Whether the node has a part in one of the running jobs it looked at since `begin`. */
  get isEngaged(): boolean {
    return this.#isEngaged
  }

  /** The round this node believes a job to be in; 0 before it knows. */
  roundOf(job: number): number {
    return this.#jobs.get(job)?.status?.round ?? 0
  }

  /** Called before each round of looks at all jobs. */
  begin(): void {
    this.#isEngaged = false
  }

  /** The job's terms and document, fetched once. */
  async #describe(facts: JobFacts): Promise<{ terms: JobTerms; document: JobDocument }> {
    const memory = this.#memory(facts.job)
    const { ports } = this.#context
    memory.terms ??= await ports.chain.read.jobs.termsOf([BigInt(facts.job)])
    memory.document ??= decodeDocument(
      jobDocument,
      await ports.fetch(lower(memory.terms.specDigest), DAG_CBOR, this.#options.sources.withFirst(facts.builder)),
    )
    return { terms: memory.terms, document: memory.document }
  }

  #memory(job: number): JobMemory {
    const memory = this.#jobs.get(job) ?? { statusMs: 0, acted: new Map(), enrolledMs: 0 }
    this.#jobs.set(job, memory)
    return memory
  }

  /** Looks once at a job. Throws what a role throws; the next look starts anew. */
  async look(facts: JobFacts): Promise<void> {
    const { ports, identity, outbox } = this.#context
    const { roles } = this.#options
    const memory = this.#memory(facts.job)
    const nowMs = ports.clock.nowMs()
    if (facts.isOver && memory.status?.phase === Phase.done && !hasOpenDispute(facts)) return
    const isMember = [facts.workers, facts.validators, facts.witnesses].some((list) => list.includes(identity.node))
    const mayJoin = roles.length > 0 && (!memory.status || mayEnrol(memory.status, memory.terms, facts, identity))
    if (!isMember && !mayJoin) return
    if (!memory.status || this.#history.touched.delete(facts.job) || nowMs - memory.statusMs > STATUS_MS) {
      memory.status = await ports.chain.read.jobs.status([BigInt(facts.job)])
      memory.statusMs = nowMs
    }
    const { status } = memory
    if (status.phase === Phase.none || status.phase >= Phase.done) {
      outbox.drop(`${facts.job}/`)
      // A worker defends its claims to the end, even when the job did not wait for it.
      if (!hasOpenDispute(facts)) return
    }
    const { terms, document } = await this.#describe(facts)
    const data = await this.#dataOf(facts, memory, terms, document)
    const refusal = data && refuseData(identity.region, data)
    if (refusal !== undefined) {
      if (memory.refused !== refusal) ports.log('warn', 'job refused', { job: facts.job, why: refusal })
      memory.refused = refusal
      return
    }
    if (!isMember || status.phase === Phase.enrolling) {
      if (nowMs - memory.enrolledMs < (status.phase === Phase.enrolling ? RETRY_MS : LATE_MS)) return
      memory.enrolledMs = nowMs
      return this.#enrol(facts, status, terms, document)
    }
    this.#isEngaged = true
    const { programOf, sources } = this.#options
    memory.program ??= programOf(facts.job, document, facts, { sources: () => sources.withFirst(facts.builder) })
    try {
      const view = viewOfJob({
        context: this.#context,
        ...{ facts, memory, status, terms, document, data, sources },
        program: await memory.program,
        blockNumber: this.#options.blockNumber(),
        onActed: () => this.#history.touched.add(facts.job),
      })
      for (const role of roles) await role.tick(view)
    } catch (error) {
      // A program that could not be made, for want of its data, is made anew next time.
      if (codeOf(error) === 'NOT_FOUND') delete memory.program
      throw error
    }
  }

  async #enrol(facts: JobFacts, status: JobStatus, terms: JobTerms, document: JobDocument): Promise<void> {
    const { identity } = this.#context
    const versions = this.#history.versionsOwnedBy(identity.node)
    const refusal = this.#refusalOf(facts, document)
    const roles = rolesToTake(identity, document, versions).filter(
      (role) => role !== JobRole.worker || refusal === undefined,
    )
    const isSure = document.kind !== 'language' || roles.every((role) => role === JobRole.witness)
    const taken = isSure || (await this.#options.isExact()) ? roles : rolesToTake(identity, document, versions, false)
    const isLate = status.phase > Phase.enrolling
    if (isLate && !mayEnrol(status, terms, facts, identity)) return
    return enrol(this.#context, facts, terms, isLate ? taken.filter((role) => role === JobRole.worker) : taken)
  }

  /** Why a role of ours would not work in this job; said once. */
  #refusalOf(facts: JobFacts, document: JobDocument): string | undefined {
    const refusal = this.#options.roles.map((role) => role.refuses?.(document)).find((why) => why !== undefined)
    const memory = this.#memory(facts.job)
    if (refusal !== undefined && memory.refused !== refusal)
      this.#context.ports.log('warn', 'job refused', { job: facts.job, why: refusal })
    if (refusal !== undefined) memory.refused = refusal
    return refusal
  }

  /** What the job's datasets ask, read once; read again when it could not be had. */
  #dataOf(facts: JobFacts, memory: JobMemory, terms: JobTerms, document: JobDocument): Promise<DataOfJob | undefined> {
    const sources = this.#options.sources.withFirst(facts.builder)
    memory.data ??= dataOfJob(this.#context.ports, this.#history, terms, document, sources).catch((error: unknown) => {
      delete memory.data
      throw error
    })
    return memory.data
  }
}
