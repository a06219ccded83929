import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@ipld/dag-cbor'
import type { ChainEvent } from '@potluck/chain'
import {
  type AssetMetadata,
  codeOf,
  type Hex,
  type JobDocument,
  PotluckError,
  sha256,
  toHex,
  utf8,
} from '@potluck/protocol'
import { blockCid, digestOf, RAW } from '@potluck/store'
import { ChainHistory } from '../ChainHistory.ts'
import { refuseData } from '../round/refuseData.ts'
import { dataOfJob } from './dataOfJob.ts'

const text = utf8('the text that is trained on')
const trainCid = blockCid(text, RAW)
const document = { kind: 'language', trainCid: String(trainCid) } as JobDocument
const terms = { purpose: 29, dataVersions: [1n] }

function metadata(residency?: string[]): Uint8Array {
  const said: AssetMetadata = {
    ...{ type: 'asset', name: 'text', kind: 'dataset', description: '', licence: 'for Europe', source: '', size: 27 },
    ...{ unit: 'characters', columns: [], private: false },
  }
  return encode(residency ? { ...said, residency } : said)
}

/** A chain on which version 1 has this content and metadata, and a store that may lack the metadata. */
function world(said: Uint8Array, { content = toHex(digestOf(trainCid)), isHere = true } = {}) {
  const history = new ChainHistory()
  const added = { contract: 'assets', name: 'VersionAdded' } as ChainEvent
  const version = { parents: [], digest: content, metadataDigest: toHex(sha256(said)) }
  history.fold({ ...added, args: { version: 1n, assetId: 1n, terms: version } } as ChainEvent)
  const fetch = async (digest: Hex): Promise<Uint8Array> => {
    if (isHere && digest === toHex(sha256(said))) return said
    throw new PotluckError('NOT_FOUND', 'nobody has it')
  }
  return (document_ = document, terms_ = terms) => dataOfJob({ fetch }, history, terms_, document_, [])
}

test('the owner of a text says where it may be worked on, and nodes elsewhere keep out [P-55]', async () => {
  const data = await world(metadata(['EU', 'CH']))()
  assert.ok(data)
  assert.deepEqual([...data.residencies], [[1, ['EU', 'CH']]])
  assert.equal(refuseData('AT', data), undefined)
  assert.match(refuseData('US', data) ?? '', /P-55/)
  const open = await world(metadata())()
  assert.equal(open && refuseData(undefined, open), undefined)
})

test('a job that names a version and trains on another text is seen through [P-54]', async () => {
  const data = await world(metadata(), { content: toHex(sha256(utf8('cheaper'))) })()
  assert.match((data && refuseData('DE', data)) ?? '', /P-54/)
})

test('without what the owner says nobody works on its data; nor before the version has been seen', async () => {
  await assert.rejects(world(metadata(), { isHere: false })(), (error) => codeOf(error) === 'NOT_FOUND')
  await assert.rejects(
    world(metadata())(document, { ...terms, dataVersions: [2n] }),
    (error) => codeOf(error) === 'VIEW_BEHIND',
  )
})

test('private tables stay with their owners: there is nothing to ask', async () => {
  assert.equal(await world(metadata(['EU']))({ kind: 'tabular' } as JobDocument), undefined)
})
