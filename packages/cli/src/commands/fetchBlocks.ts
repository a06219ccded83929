import { fromHex, type Hex, PotluckError } from '@potluck/protocol'
import {
  type BlockStore,
  blockUrl,
  cidOfDigest,
  createFetcher,
  fetchFile,
  memoryBlockStore,
  readFile,
} from '@potluck/store'
import type { Network } from './networkAt.ts'
import { urlOf } from './status.ts'

type Sources = Pick<Network, 'participants'>

function fetcherOf({ participants }: Sources) {
  if (participants.length === 0) {
    const message =
      'no node of this network is known, so its documents cannot be fetched: name the folder of the network with --dir'
    throw new PotluckError('NO_SOURCES', message, {}, { remedy: 'fix-setup' })
  }
  return createFetcher({
    urls: (cid) => participants.map((one) => blockUrl(urlOf(one), cid)),
    timeoutMs: 3_000,
    rounds: 1,
  })
}

/** One block by its digest, from whichever node has it, verified. Throws NOT_FOUND. */
export async function fetchBlock(network: Sources, digest: Hex, codec: number): Promise<Uint8Array> {
  const fetcher = fetcherOf(network)
  try {
    return await fetcher.fetchBlock(cidOfDigest(codec, fromHex(digest)))
  } finally {
    await fetcher.close()
  }
}

/** A whole file by the digest of its root block. Throws NOT_FOUND. */
export async function fetchContent(
  network: Sources,
  root: { digest: Hex; codec: number },
  store: BlockStore = memoryBlockStore(),
): Promise<Uint8Array> {
  const cid = cidOfDigest(root.codec, fromHex(root.digest))
  const fetcher = fetcherOf(network)
  try {
    await fetchFile(fetcher, store, cid)
    return await readFile(store, cid)
  } finally {
    await fetcher.close()
  }
}
