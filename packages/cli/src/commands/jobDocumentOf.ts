import { decodeDocument } from '@potluck/node'
import { type Hex, type JobDocument, jobDocument, resistanceText } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'
import { fetchBlock } from './fetchBlocks.ts'
import type { Network } from './networkAt.ts'

/** The document of a job by its digest on chain; null while nobody who has it is up. Throws BAD_DOCUMENT. */
export async function jobDocumentOf(
  network: Pick<Network, 'participants'>,
  specDigest: Hex,
): Promise<JobDocument | null> {
  let bytes: Uint8Array
  try {
    bytes = await fetchBlock(network, specDigest, DAG_CBOR)
  } catch {
    // Whoever has it is down: the chain's part is shown all the same.
    return null
  }
  return decodeDocument(jobDocument, bytes)
}

/** What is known of the resistance of a job's model, for a person. */
export function jobResistanceText(document: JobDocument | null): string {
  if (document === null) return "not known: nobody who has the job's document is up"
  if (document.kind === 'tabular') return 'not measured: under masks nobody sees a single update'
  const { resistance } = document
  return `${resistanceText(resistance)}${resistance ? ' (as its builder measured it)' : ''}`
}
