import { decodeDocument } from '@potluck/node'
import { assetMetadata, country, type Hex } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'
import { z } from 'zod'
import type { JobTerms } from '../actions/createJob.ts'
import { askJson } from './askJson.ts'
import { fetchBlock } from './fetchBlocks.ts'
import type { Candidate, Dataset, JobFill } from './jobGaps.ts'
import type { Network } from './networkAt.ts'
import { urlOf } from './status.ts'

type Terms = JobFill['terms'] & Pick<JobTerms, 'dataVersions'>

/** All that decides whether a job can be filled: datasets, registered nodes and the builder's money, as they stand. */
export async function jobFill(network: Network, kind: JobFill['kind'], terms: Terms, builder: Hex): Promise<JobFill> {
  const [datasets, candidates, balance] = await Promise.all([
    Promise.all(terms.dataVersions.map((version) => datasetOf(network, version))),
    candidatesOf(network),
    network.chain.erc20(terms.token).read.balanceOf([builder]),
  ])
  return { kind, terms, datasets, candidates, balance }
}

async function datasetOf(network: Network, version: bigint): Promise<Dataset> {
  const { assets } = network.chain.read
  const none = { granted: 0, minSharePpm: 0, price: 0n, priceToken: ZERO, owner: ZERO }
  if (version > (await assets.latestVersion())) return { version: Number(version), isThere: false, ...none }
  const [terms, [priceToken, price], asset] = await Promise.all([
    assets.termsOf([version]),
    assets.trainPriceOf([version]),
    assets.assetOf([version]),
  ])
  const owner = await assets.ownerOf([asset])
  const { purposes: granted, minShare: minSharePpm } = terms
  const residency = await residencyOf(network, terms.metadataDigest)
  return { version: Number(version), isThere: true, granted, minSharePpm, price, priceToken, owner, residency }
}

const ZERO: Hex = `0x${'00'.repeat(20)}`

/** Where the owner lets its data be worked on; undefined where it does not say, or nobody who is up has its word. */
async function residencyOf(network: Network, digest: Hex): Promise<readonly string[] | undefined> {
  try {
    return decodeDocument(assetMetadata, await fetchBlock(network, digest, DAG_CBOR)).residency
  } catch {
    // A model, or a description that no node here has: nodes look for it themselves before they enrol.
    return undefined
  }
}

async function candidatesOf(network: Network): Promise<Candidate[]> {
  const { chain } = network
  const { registry } = chain.read
  const toBlock = await chain.blockNumber()
  const fromBlock = BigInt(chain.deployment.block)
  const [events, regions] = await Promise.all([
    chain.events({ fromBlock, toBlock, contracts: ['registry'] }),
    regionsOf(network),
  ])
  const nodes = events.filter(({ name }) => name === 'Registered').map(({ args }) => String(args.node) as Hex)
  return Promise.all(
    nodes.map(async (node) => {
      const [roles, freeBond, isWilling] = await Promise.all([
        registry.rolesOf([node]),
        registry.freeBond([node]),
        registry.isLockerAllowed([node, chain.deployment.contracts.jobs]),
      ])
      return { node, roles, freeBond, isWilling, region: regions.get(node.toLowerCase()) }
    }),
  )
}

const heard = z.object({
  node: z.string(),
  region: country.optional(),
  known: z.array(z.object({ node: z.string(), region: country.optional() })),
})

/** Where nodes say they are, as the first one that answers has heard it. */
async function regionsOf({ participants }: Network): Promise<Map<string, string>> {
  for (const one of participants.slice(0, 5)) {
    try {
      const said = await askJson(one.name, `${urlOf(one)}/status`, heard, { timeoutMs: 3_000 })
      const all = [said, ...said.known]
      return new Map(all.flatMap(({ node, region }) => (region ? [[node.toLowerCase(), region] as const] : [])))
    } catch {
      // It is down: another one has heard as much.
    }
  }
  return new Map()
}
