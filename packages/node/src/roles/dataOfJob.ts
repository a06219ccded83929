import { assetMetadata, type JobDocument, jobDocument, PotluckError, toHex } from '@potluck/protocol'
import { DAG_CBOR, digestOf, parseCid } from '@potluck/store'
import { z } from 'zod'
import type { ChainHistory } from '../ChainHistory.ts'
import { decodeDocument } from '../decodeDocument.ts'
import type { JobTerms } from '../JobView.ts'
import type { Ports } from '../Ports.ts'
import type { DataOfJob } from '../round/refuseData.ts'

/** What is said of a version: of a dataset by its owner; a model's metadata is the document of its job. */
const said = z.union([assetMetadata, jobDocument])

/**
 * What the datasets of a public job ask of whoever works on them. Private tables never leave their owners: of them there is nothing
 * to ask.
 *
 * @param sources where blocks may be had
 * @throws PotluckError NOT_FOUND when nobody has what an owner says of its data: without it nobody may work on them
 */
export async function dataOfJob(
  ports: Pick<Ports, 'fetch'>,
  history: Pick<ChainHistory, 'digestsOf'>,
  terms: Pick<JobTerms, 'purpose' | 'dataVersions'>,
  document: JobDocument,
  sources: readonly string[],
): Promise<DataOfJob | undefined> {
  if (document.kind !== 'language') return undefined
  const named = terms.dataVersions.map(Number)
  const text = toHex(digestOf(parseCid(document.trainCid)))
  const residencies = new Map<number, readonly string[]>()
  for (const version of named) {
    const digests = history.digestsOf.get(version)
    // The contract knows the version: this node has only not read that block yet.
    if (!digests) throw new PotluckError('VIEW_BEHIND', `version ${version} has not been seen yet`, { version })
    const metadata = decodeDocument(said, await ports.fetch(digests.metadata, DAG_CBOR, sources))
    if (metadata.type === 'asset' && metadata.residency) residencies.set(version, metadata.residency)
  }
  const ofText = named.filter((version) => history.digestsOf.get(version)?.content === text)
  return { purpose: terms.purpose, named, ofText, residencies }
}
