import assert from 'node:assert/strict'
import { readFile as readDisk } from 'node:fs/promises'
import { test } from 'node:test'
import { fromHex } from '@potluck/protocol'
import { z } from 'zod'
import { blockCid, importCar, linksOf, memoryBlockStore, parseCid, readFile } from './index.ts'

const schema = z.object({
  blocks: z.array(z.object({ name: z.string(), cid: z.string(), hex: z.string() })).min(50),
  cars: z.array(z.object({ name: z.string(), base64: z.string() })),
})
const path = new URL('../../../spec/vectors/ipfs-blocks.json', import.meta.url)
const vectors = schema.parse(JSON.parse(await readDisk(path, 'utf8')))

test('blocks written by other IPLD libraries have the addresses those gave them, and decode [P-20]', () => {
  for (const { name, cid, hex } of vectors.blocks) {
    const address = parseCid(cid)
    assert.equal(blockCid(fromHex(hex), address.code).toString(), cid, name)
    assert.doesNotThrow(() => linksOf(address, fromHex(hex)), name)
  }
})

test('archives of the gateway test suite import, root and all [P-30]', async () => {
  for (const { name, base64 } of vectors.cars) {
    const store = memoryBlockStore()
    async function* once(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(base64, 'base64')
    }
    const [root] = await importCar(store, once())
    assert.ok(root !== undefined && (await store.has(root)), name)
    if (name !== 'gateway-raw-block.car') continue
    const file = parseCid('bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am')
    if (await store.has(file)) assert.equal(Buffer.from(await readFile(store, file)).toString(), 'hello\n')
  }
})
