import { encode } from '@ipld/dag-cbor'
import type { Chain } from '@potluck/chain'
import { type Hex, type JobDocument, merkleRootOfBytes, sha256, toHex } from '@potluck/protocol'
import { type BlockStore, DAG_CBOR, RAW } from '@potluck/store'

export type JobTerms = Awaited<ReturnType<Chain['read']['jobs']['termsOf']>>

/** Times of a round, in seconds and blocks, by kind of chain. Short ones for an embedded chain, where blocks are final at once. */
export const embeddedTimes = {
  fixSeconds: 90,
  beaconBlocks: 1,
  revealSeconds: 20,
  turnSeconds: 25,
  challengeSeconds: 2,
} as const

/** As the wire has it: amounts are decimal strings in documents. */
export function encodeJobDocument(document: JobDocument): Uint8Array {
  if (document.kind !== 'language') return encode(document)
  return encode({ ...document, audit: { ...document.audit, saltPriceE18: document.audit.saltPriceE18.toString() } })
}

/**
 * Funds a job: keeps its document and first state in `store`, from where nodes fetch them, approves the money and creates it on chain.
 *
 * @returns the job's id
 * @throws PotluckError REVERTED with LicenceNotGranted and the value seen when a dataset does not allow the purpose
 */
export async function createJob(
  builder: Chain,
  store: BlockStore,
  options: {
    document: JobDocument
    base: Uint8Array
    programRoot: Hex
    terms: Omit<JobTerms, 'specDigest' | 'baseDigest' | 'baseRoot' | 'programRoot'>
  },
): Promise<number> {
  const { terms, base, programRoot } = options
  const document = encodeJobDocument(options.document)
  await store.put(document, DAG_CBOR)
  await store.put(base, RAW)
  const prices = await Promise.all(terms.dataVersions.map((version) => builder.read.assets.trainPriceOf([version])))
  const total = terms.payPerRound * BigInt(terms.rounds) + prices.reduce((sum, [, price]) => sum + price, 0n)
  const token = builder.erc20(terms.token)
  await token.send('approve', [builder.deployment.contracts.jobs, total])
  const receipt = await builder.send('jobs', 'create', [
    {
      ...terms,
      programRoot,
      specDigest: toHex(sha256(document)),
      baseDigest: toHex(sha256(base)),
      baseRoot: toHex(merkleRootOfBytes(base)),
    },
  ])
  const created = receipt.logs.find(({ contract, name }) => contract === 'jobs' && name === 'JobCreated')
  return Number(created?.args.jobId)
}
