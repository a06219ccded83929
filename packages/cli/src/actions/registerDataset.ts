import { encode } from '@ipld/dag-cbor'
import type { Chain } from '@potluck/chain'
import { type AssetMetadata, type Hex, merkleRootOfBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import { addFile, type BlockStore, DAG_CBOR, digestOf } from '@potluck/store'

/** Registers public content as an asset of `owner`'s account; the content itself goes into `store`. */
export async function registerDataset(
  owner: Chain,
  store: BlockStore,
  options: {
    content: Uint8Array
    metadata: AssetMetadata
    purposes: number
    minSharePpm: number
    trainPriceUnits: bigint
  },
): Promise<{ version: number; cid: string }> {
  const { content, metadata } = options
  const { cid } = await addFile(store, content)
  const said = encode(metadata)
  await store.put(said, DAG_CBOR)
  const receipt = await owner.send('assets', 'create', [
    owner.account as Hex,
    owner.deployment.tokens.map(({ address }) => address),
    {
      codec: cid.code,
      digest: toHex(digestOf(cid)),
      root: toHex(merkleRootOfBytes(content)),
      licenceDigest: toHex(sha256(utf8(metadata.licence))),
      metadataDigest: toHex(sha256(said)),
      purposes: options.purposes,
      minShare: options.minSharePpm,
      trainPrice: options.trainPriceUnits,
      parents: [],
      shares: [],
      contributorsRoot: `0x${'00'.repeat(32)}`,
      contributorsTotal: 0n,
      contributorsShare: 0,
    },
  ])
  const added = receipt.logs.find(({ contract, name }) => contract === 'assets' && name === 'VersionAdded')
  return { version: Number(added?.args.version), cid: String(cid) }
}
