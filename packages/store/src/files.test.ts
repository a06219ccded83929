import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { exporter } from 'ipfs-unixfs-exporter'
import {
  addFile,
  blockCid,
  type CID,
  DAG_PB,
  exportCar,
  fileBlocks,
  importCar,
  linksOf,
  MAX_BLOCK_BYTES,
  memoryBlockStore,
  putObject,
  readFile,
} from './index.ts'

/** The same bytes for a length every time, different at every offset that matters. */
function content(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255)
}

async function gather(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return new Uint8Array(Buffer.concat(all))
}

async function* pieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

test('a file of one chunk is its own raw block; a longer one has a root over 1 MiB leaves [P-24]', async () => {
  const store = memoryBlockStore()
  for (const sizeBytes of [0, 1, MAX_BLOCK_BYTES]) {
    const { cid, sizeBytes: added } = await addFile(store, content(sizeBytes))
    assert.ok(cid.equals(blockCid(content(sizeBytes))), `${sizeBytes}`)
    assert.equal(added, sizeBytes)
  }
  const { cid } = await addFile(store, content(2 * MAX_BLOCK_BYTES + 5))
  assert.equal(cid.code, DAG_PB)
  const blocks = await fileBlocks(store, cid)
  const lengths = await Promise.all(blocks.map(async (block) => (await store.get(block))?.length))
  assert.deepEqual(lengths.slice(1), [MAX_BLOCK_BYTES, MAX_BLOCK_BYTES, 5])
})

test('the address does not depend on how the bytes arrive, and equals the one known for this profile [P-24]', async () => {
  const bytes = content(3_000_000)
  const whole = await addFile(memoryBlockStore(), bytes)
  const streamed = await addFile(memoryBlockStore(), pieces(bytes, 77_777))
  assert.ok(whole.cid.equals(streamed.cid))
  assert.equal(streamed.sizeBytes, 3_000_000)
  // Built here by hand from the format's description: a UnixFS file over three raw leaves.
  const leaves = [0, 1, 2].map((i) => bytes.subarray(i * MAX_BLOCK_BYTES, (i + 1) * MAX_BLOCK_BYTES))
  const header = new UnixFS({ type: 'file', blockSizes: leaves.map((leaf) => BigInt(leaf.length)) })
  const links = leaves.map((leaf) => ({ Name: '', Tsize: leaf.length, Hash: blockCid(leaf) }))
  const root = dagPb.encode({ Data: header.marshal(), Links: links })
  assert.equal(whole.cid.toString(), blockCid(root, DAG_PB).toString())
})

test('any range of a file reads as the slice of its bytes [P-24]', async () => {
  const store = memoryBlockStore()
  const bytes = content(2 * MAX_BLOCK_BYTES + 1000)
  const { cid } = await addFile(store, bytes)
  const edges = [
    0,
    1,
    MAX_BLOCK_BYTES - 1,
    MAX_BLOCK_BYTES,
    MAX_BLOCK_BYTES + 1,
    2 * MAX_BLOCK_BYTES,
    bytes.length,
    bytes.length + 9,
  ]
  for (const offset of edges) {
    for (const length of [0, 1, 1000, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES + 1, undefined]) {
      const got = await readFile(store, cid, length === undefined ? { offset } : { offset, length })
      const want = bytes.subarray(offset, length === undefined ? undefined : offset + length)
      assert.equal(Buffer.compare(got, want), 0, `offset ${offset} length ${length}`)
    }
  }
  await assert.rejects(readFile(store, cid, { offset: -1 }), { code: 'BAD_RANGE' })
  await assert.rejects(readFile(store, cid, { length: 1.5 }), { code: 'BAD_RANGE' })
  await assert.rejects(readFile(store, cid, { maxBytes: 1000 }), { code: 'FILE_TOO_LARGE' })
})

test('a deep file made by another tool reads here, and ours reads there [P-24]', async () => {
  const store = memoryBlockStore()
  const bytes = content(1_100_000)
  const { cid } = await addFile(store, bytes)
  const blockstore = {
    async *get(wanted: CID): AsyncGenerator<Uint8Array> {
      yield (await store.get(wanted)) ?? assert.fail(`missing ${wanted}`)
    },
  }
  const entry = await exporter(cid, blockstore)
  assert.ok(entry.type === 'file')
  assert.equal(Buffer.compare(await gather(entry.content()), bytes), 0)

  const leaf = async (text: string): Promise<CID> => store.put(new TextEncoder().encode(text))
  const inner = await putNode(store, [await leaf('abc'), await leaf('de')], [3, 2])
  const outer = await putNode(store, [inner, await leaf('fgh')], [5, 3])
  assert.equal(Buffer.from(await readFile(store, outer)).toString(), 'abcdefgh')
  assert.equal(Buffer.from(await readFile(store, outer, { offset: 4, length: 2 })).toString(), 'ef')
})

async function putNode(store: ReturnType<typeof memoryBlockStore>, links: CID[], sizes: number[]): Promise<CID> {
  const header = new UnixFS({ type: 'file', blockSizes: sizes.map(BigInt) })
  const Links = links.map((Hash, i) => ({ Name: '', Tsize: sizes[i] ?? 0, Hash }))
  return store.put(dagPb.encode({ Data: header.marshal(), Links }), DAG_PB)
}

test('a tree whose sizes lie, a folder, an object or a missing leaf is an error, not wrong bytes [P-24]', async () => {
  const store = memoryBlockStore()
  const leaf = await store.put(new TextEncoder().encode('four'))
  await assert.rejects(readFile(store, await putNode(store, [leaf], [3])), { code: 'BAD_BLOCK' })
  await assert.rejects(readFile(store, await putNode(store, [leaf], [5])), { code: 'BAD_BLOCK' })
  await assert.rejects(readFile(store, await putNode(store, [leaf, leaf], [4])), { code: 'BAD_BLOCK' })
  await assert.rejects(readFile(store, await putObject(store, { a: 1 })), { code: 'NOT_A_FILE' })
  const directory = dagPb.encode({ Data: new UnixFS({ type: 'directory' }).marshal(), Links: [] })
  await assert.rejects(readFile(store, await store.put(directory, DAG_PB)), { code: 'NOT_A_FILE' })
  const absent = blockCid(new TextEncoder().encode('absent'))
  await assert.rejects(readFile(store, await putNode(store, [absent], [6])), { code: 'NOT_FOUND' })
  await assert.rejects(readFile(store, await store.put(new Uint8Array([9, 9, 9]), DAG_PB)), { code: 'BAD_BLOCK' })
  let deep = leaf
  for (let i = 0; i < 20; i++) deep = await putNode(store, [deep], [4])
  await assert.rejects(readFile(store, deep), /nested deeper/)
})

test('the links of an object are the addresses inside it, at any depth, in order [P-25]', async () => {
  const store = memoryBlockStore()
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((text) => store.put(new TextEncoder().encode(text))))
  const cid = await putObject(store, { x: a, y: [{ z: b }, c], w: new Uint8Array(3) })
  const links = linksOf(cid, (await store.get(cid)) ?? new Uint8Array())
  assert.deepEqual(links.map(String).sort(), [a, b, c].map(String).sort())
  assert.equal((await fileBlocks(store, cid)).length, 4)
  await assert.rejects(fileBlocks(store, cid, 3), { code: 'TOO_MANY_BLOCKS' })
})

test('a CAR carries a file from one store to another [P-30]', async () => {
  const from = memoryBlockStore()
  const { cid } = await addFile(from, content(2_500_000))
  const car = await gather(exportCar(from, cid))
  const to = memoryBlockStore()
  const roots = await importCar(to, pieces(car, 10_001))
  assert.deepEqual(roots.map(String), [cid.toString()])
  assert.equal(Buffer.compare(await readFile(to, cid), content(2_500_000)), 0)
})

test('a CAR that is cut, altered or claims an endless section is refused [P-30]', async () => {
  const from = memoryBlockStore()
  const { cid } = await addFile(from, content(1_500_000))
  const car = await gather(exportCar(from, cid))
  await assert.rejects(importCar(memoryBlockStore(), pieces(car.subarray(0, car.length - 1), 65_536)), {
    code: 'BAD_CAR',
  })
  const altered = car.slice()
  altered[car.length - 1] = (altered[car.length - 1] ?? 0) ^ 1
  await assert.rejects(importCar(memoryBlockStore(), pieces(altered, 65_536)), { code: 'BAD_CAR' })
  await assert.rejects(importCar(memoryBlockStore(), pieces(content(5000), 100)), { code: 'BAD_CAR' })
  const headerLength = 1 + (car[0] ?? 0)
  let sent = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield car.subarray(0, headerLength)
    yield new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f])
    // A valid start of a block, then zeros without end.
    yield cid.bytes
    while (sent < 2 ** 28) {
      sent += 65_536
      yield new Uint8Array(65_536)
    }
  }
  await assert.rejects(importCar(memoryBlockStore(), endless()), { code: 'BAD_CAR' })
  assert.ok(sent < 4 * MAX_BLOCK_BYTES, `read ${sent} bytes before giving up`)
})
