import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import {
  type BlockStore,
  blockCid,
  CID,
  cidOfDigest,
  DAG_CBOR,
  digestOf,
  fileBlockStore,
  getObject,
  MAX_BLOCK_BYTES,
  memoryBlockStore,
  parseCid,
  putObject,
  RAW,
  verifyBlock,
} from './index.ts'

const folder = await mkdtemp(join(tmpdir(), 'potluck-store-'))
after(() => rm(folder, { recursive: true, force: true }))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('an address is a CIDv1 over SHA-256 and gives its digest back [P-20]', () => {
  // The empty file and "hello world", as every IPFS tool names them.
  assert.equal(blockCid(new Uint8Array()).toString(), 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
  const hello = blockCid(bytes('hello world'))
  assert.equal(hello.toString(), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  assert.ok(cidOfDigest(RAW, digestOf(hello)).equals(hello))
  assert.ok(verifyBlock(hello, bytes('hello world')))
  assert.ok(!verifyBlock(hello, bytes('hello worlD')))
})

test('refuses addresses under other hashes, codecs or encodings, and reads version 0 as 1 [P-20]', () => {
  const sha512 =
    'bafkrgqbqt3gerhas23vuzrapkdeqf4vu2dwxp3srdj6hvg6nhsug2tgyn6mj3u23yx7utftq3i2ckw2fwdh5qmhid5qf3t35yvkc5e5ottlw6'
  for (const text of ['', 'x', 'bafy', 'z'.repeat(500), sha512, '../../etc/passwd', 'bafkreig%00']) {
    assert.throws(() => parseCid(text), { code: 'BAD_CID' }, text)
  }
  assert.throws(() => parseCid(sha512), /not sha2-256/)
  assert.throws(() => cidOfDigest(0x51, new Uint8Array(32)), { code: 'BAD_CID' })
  assert.throws(() => cidOfDigest(RAW, new Uint8Array(31)), { code: 'BAD_CID' })
  const version0 = 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR'
  assert.equal(parseCid(version0).toString(), CID.parse(version0).toV1().toString())
})

async function listed(store: BlockStore): Promise<string[]> {
  const found: string[] = []
  for await (const cid of store.list()) found.push(cid.toString())
  return found.sort()
}

for (const [name, make] of [
  ['memory', () => memoryBlockStore()],
  ['file', () => fileBlockStore(join(folder, 'compliance'))],
] as const) {
  test(`the ${name} store gives back what was put, lists it and forgets it [P-22]`, async () => {
    const store = make()
    const cid = await store.put(bytes('one'))
    const object = await store.put(bytes('two'), DAG_CBOR)
    assert.equal(await store.has(cid), true)
    assert.deepEqual(Buffer.from((await store.get(cid)) ?? []), Buffer.from('one'))
    assert.deepEqual(await listed(store), [cid.toString(), object.toString()].sort())
    await store.delete(cid)
    await store.delete(cid)
    assert.equal(await store.has(cid), false)
    assert.equal(await store.get(cid), undefined)
    assert.deepEqual(await listed(store), [object.toString()])
  })

  test(`the ${name} store keeps its block when the caller reuses the array [P-22]`, async () => {
    const store = make()
    const array = bytes('kept')
    const cid = await store.put(array)
    array.fill(0)
    assert.deepEqual(Buffer.from((await store.get(cid)) ?? []), Buffer.from('kept'))
  })

  test(`the ${name} store refuses a block over 1 MiB and takes one of exactly 1 MiB [P-21]`, async () => {
    const store = make()
    await store.put(new Uint8Array(MAX_BLOCK_BYTES))
    await assert.rejects(store.put(new Uint8Array(MAX_BLOCK_BYTES + 1)), { code: 'BLOCK_TOO_LARGE' })
  })
}

test('a block whose file was damaged is reported, absent, and can be put again [P-22]', async () => {
  const dir = join(folder, 'damage')
  const reports: string[] = []
  const store = fileBlockStore(dir, { onCorrupt: (cid) => reports.push(cid.toString()) })
  const cid = await store.put(bytes('precious'))
  const [shard = ''] = await readdir(join(dir, 'blocks'))
  await writeFile(join(dir, 'blocks', shard, cid.toString()), 'precioux')
  assert.equal(await store.get(cid), undefined)
  assert.deepEqual(reports, [cid.toString()])
  assert.equal(await store.has(cid), false)
  await store.put(bytes('precious'))
  assert.deepEqual(Buffer.from((await store.get(cid)) ?? []), Buffer.from('precious'))
  await writeFile(join(dir, 'blocks', shard, cid.toString()), '')
  await store.put(bytes('precious'))
  assert.deepEqual(
    Buffer.from((await store.get(cid)) ?? []),
    Buffer.from('precious'),
    'put repairs what get has not seen',
  )
})

test('what a process killed between writing and renaming left is no block, and the block can be put [P-23]', async () => {
  const dir = join(folder, 'killed')
  const content = bytes('half-way')
  await mkdir(join(dir, 'tmp'), { recursive: true })
  await writeFile(join(dir, 'tmp', 'left-behind'), content)
  const store = fileBlockStore(dir)
  assert.equal(await store.has(blockCid(content)), false)
  assert.deepEqual(await listed(store), [])
  const cid = await store.put(content)
  assert.deepEqual(Buffer.from((await store.get(cid)) ?? []), Buffer.from(content))
})

test('a process killed while it writes block after block leaves only whole ones [P-23]', async () => {
  const dir = join(folder, 'sigkill')
  const entry = new URL('./index.ts', import.meta.url).href
  const script = `
    const { fileBlockStore } = await import(${JSON.stringify(entry)})
    const store = fileBlockStore(${JSON.stringify(dir)})
    for (let i = 0; ; i++) {
      await Promise.all([0, 1, 2, 3].map((j) => store.put(new Uint8Array(1048576).fill(i).fill(j, 1))))
      process.stdout.write('.')
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  for (let dots = 0; dots < 5; ) dots += String(await once(child.stdout, 'data')).length
  child.kill('SIGKILL')
  await ended
  const corrupt: string[] = []
  const store = fileBlockStore(dir, { onCorrupt: (cid) => corrupt.push(cid.toString()) })
  const held = await listed(store)
  for (const cid of held) assert.equal((await store.get(parseCid(cid)))?.length, MAX_BLOCK_BYTES)
  assert.deepEqual(corrupt, [])
  assert.ok(held.length >= 20, `${held.length} blocks that were reported kept are here`)
})

test('twenty puts of the same block at once leave one whole file and no drafts [P-23]', async () => {
  const dir = join(folder, 'crowd')
  const stores = [fileBlockStore(dir), fileBlockStore(dir)]
  const content = new Uint8Array(300_000).fill(7)
  await Promise.all(Array.from({ length: 20 }, (_, i) => stores[i % 2]?.put(content)))
  assert.equal((await listed(fileBlockStore(dir))).length, 1)
  assert.deepEqual(await readdir(join(dir, 'tmp')), [])
  assert.equal((await fileBlockStore(dir).get(blockCid(content)))?.length, content.length)
})

test('foreign files in the folder are neither listed nor fatal [P-23]', async () => {
  const dir = join(folder, 'foreign')
  const store = fileBlockStore(dir)
  const cid = await store.put(bytes('mine'))
  await writeFile(join(dir, 'blocks', '.DS_Store'), 'x')
  await mkdir(join(dir, 'blocks', 'zz'))
  await writeFile(join(dir, 'blocks', 'zz', 'note.txt'), 'x')
  assert.deepEqual(await listed(store), [cid.toString()])
})

test('equal objects have equal addresses whatever the order of their keys [P-25]', async () => {
  const store = memoryBlockStore()
  const a = await putObject(store, { alpha: 1, b: [true, null, new Uint8Array([1])], c: 2n ** 60n })
  const b = await putObject(store, { c: 2n ** 60n, b: [true, null, new Uint8Array([1])], alpha: 1 })
  assert.ok(a.equals(b))
  assert.equal(a.code, DAG_CBOR)
  const schema = z.object({ alpha: z.number(), c: z.bigint() })
  assert.deepEqual(await getObject(store, a, schema), { alpha: 1, c: 2n ** 60n })
})

test('an object that is absent, too large, not writable or not as agreed is one clear error [P-25]', async () => {
  const store = memoryBlockStore()
  const schema = z.object({ steps: z.number().int() })
  await assert.rejects(getObject(store, blockCid(bytes('x'), DAG_CBOR), schema), { code: 'NOT_FOUND' })
  await assert.rejects(putObject(store, { big: new Uint8Array(MAX_BLOCK_BYTES) }), { code: 'BLOCK_TOO_LARGE' })
  await assert.rejects(putObject(store, { gone: undefined }), { code: 'BAD_OBJECT' })
  await assert.rejects(putObject(store, { bad: Number.NaN }), { code: 'BAD_OBJECT' })
  await assert.rejects(getObject(store, await putObject(store, { steps: 'ten' }), schema), /steps: .*number/)
  const garbage = await store.put(new Uint8Array([0xff, 0x00]), DAG_CBOR)
  await assert.rejects(getObject(store, garbage, schema), { code: 'BAD_OBJECT' })
  await assert.rejects(getObject(store, await store.put(bytes('raw')), schema), { code: 'BAD_OBJECT' })
})
