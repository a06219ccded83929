import type { ChainEvent } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'
import { foldJobEvent, type JobFacts, lower } from './JobFacts.ts'

/** What this node remembers of the chain, folded from events in order: who holds which key, who owns what, how jobs stand. */
export class ChainHistory {
  readonly jobs = new Map<number, JobFacts>()
  /** Node key to cold address; revoked keys are gone. */
  readonly nodeOfKey = new Map<Hex, Hex>()
  /** Where registered nodes say their blocks are, for as long as no hello says better. */
  readonly endpointOf = new Map<Hex, string>()
  readonly ownerOfAsset = new Map<bigint, Hex>()
  readonly assetOfVersion = new Map<number, bigint>()
  readonly parentsOf = new Map<number, number[]>()
  /** Digests of each version's content and of what is said of it. */
  readonly digestsOf = new Map<number, { content: Hex; metadata: Hex }>()
  /** Model versions by the job they came from. */
  readonly modelOfJob = new Map<number, number>()
  /** Jobs with an event since they were last looked at. */
  readonly touched = new Set<number>()
  /** Tokens each version was ever paid in. */
  readonly paidIn = new Map<number, Set<Hex>>()

  /** Counts events after which somebody may be owed something. */
  money = 0

  fold(event: ChainEvent): void {
    const { contract, name, args } = event
    if (contract === 'assets' || contract === 'channels' || name === 'JobDone' || name === 'ModelPublished')
      this.money++
    const job = foldJobEvent(this.jobs, event)
    if (job) this.touched.add(job.job)
    if (contract === 'jobs' && name === 'ModelPublished') this.modelOfJob.set(Number(args.jobId), Number(args.version))
    if (contract === 'registry' && name === 'Registered') this.nodeOfKey.set(lower(args.key), lower(args.node))
    if (contract === 'registry' && (name === 'Registered' || name === 'Updated')) {
      const endpoint = String(args.endpoint)
      if (/^https?:\/\/[^\s/?#]+$/.test(endpoint)) this.endpointOf.set(lower(args.node), endpoint)
      else this.endpointOf.delete(lower(args.node))
    }
    if (contract === 'registry' && name === 'NodeKeyChanged') {
      this.nodeOfKey.delete(lower(args.oldKey))
      this.nodeOfKey.set(lower(args.newKey), lower(args.node))
    }
    if (contract !== 'assets') return
    if (name === 'Transfer') this.ownerOfAsset.set(BigInt(String(args.tokenId)), lower(args.to))
    if (name === 'VersionAdded') {
      const version = Number(args.version)
      this.assetOfVersion.set(version, BigInt(String(args.assetId)))
      const { parents, digest, metadataDigest } = args.terms as {
        parents: readonly bigint[]
        digest: Hex
        metadataDigest: Hex
      }
      this.digestsOf.set(version, { content: lower(digest), metadata: lower(metadataDigest) })
      this.parentsOf.set(version, parents.map(Number))
    }
    if (name === 'Paid') this.#paid(Number(args.version), lower(args.token))
    if (name === 'Pulled') this.#paid(Number(args.parent), lower(args.token))
  }

  #paid(version: number, token: Hex): void {
    const tokens = this.paidIn.get(version) ?? new Set()
    this.paidIn.set(version, tokens.add(token))
  }

  versionsOwnedBy(node: Hex): number[] {
    return [...this.assetOfVersion]
      .filter(([, asset]) => this.ownerOfAsset.get(asset) === node)
      .map(([version]) => version)
  }

  childrenOf(version: number): number[] {
    return [...this.parentsOf].filter(([, parents]) => parents.includes(version)).map(([child]) => child)
  }
}
