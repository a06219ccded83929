/** The parts of which a scenario is built, one by one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressUpdate } from '@potluck/learning'
import { addressOfSecret, sha256, utf8 } from '@potluck/protocol'
import { Draws } from '../Draws.ts'
import { Scheduler } from '../Scheduler.ts'
import { DeliveryReader, sealDelivery } from './Delivery.ts'
import { Disk, type Slot, write } from './Disk.ts'
import { drawDigits } from './digits.ts'
import { chooseSet } from './fixSet.ts'
import { ChunkReader, chunkCount, modelFileOf } from './ModelFile.ts'
import { Process } from './Process.ts'
import { ReceiptReader, signReceipts } from './Receipts.ts'
import { REFUSED, ShapedLinks } from './ShapedLinks.ts'

const never = (): boolean => false
const processOn = (
  scheduler: Scheduler,
  node: number,
  onAwait: (process: Process, count: number) => void = () => undefined,
) =>
  new Process(node, {
    scheduler,
    onAwait,
    onEscape: (_, error) => {
      throw error
    },
  })

test('a process that is killed at an await never comes back from it, nor sends what it was about to [S-12]', async () => {
  for (const fatal of [0, 1, 2, 3]) {
    const scheduler = new Scheduler(0)
    const reached: number[] = []
    const process = processOn(scheduler, 0, (one, count) => count === fatal && one.kill())
    process.spawn(async () => {
      for (let step = 0; step < 3; step++) {
        await process.sleep(10, 'the next step')
        reached.push(step)
      }
    })
    await scheduler.run(1_000, never)
    assert.deepEqual(reached, [0, 1, 2].slice(0, fatal))
    assert.equal(process.waits.size, 0)
  }
})

test('a disk keeps what was synced; of the rest each batch survives whole or not at all [S-12]', async () => {
  const slot: Slot<number> = { name: 'n' }
  let survived = 0
  for (let seed = 0; seed < 40; seed++) {
    const scheduler = new Scheduler(0)
    const process = processOn(scheduler, 0)
    const disk = new Disk({ fsyncMs: 10, megabytesPerSecond: 1 })
    disk.put(write(slot, 'safe', 1, 5_000))
    process.spawn(() => disk.sync(process))
    const seen: number[] = []
    for (const ms of [14.9, 15.1]) scheduler.after(ms, process.life, () => seen.push(disk.fsyncs, disk.written))
    await scheduler.run(1_000, never)
    assert.deepEqual(seen, [0, 0, 1, 5_000])
    disk.put(write(slot, 'a', 2, 1), write(slot, 'b', 3, 1))
    assert.equal(disk.get(slot, 'a'), 2)
    disk.crash(new Draws(seed, 'crash'))
    assert.equal(disk.get(slot, 'safe'), 1)
    assert.equal(disk.get(slot, 'a') === undefined, disk.get(slot, 'b') === undefined)
    if (disk.get(slot, 'a') !== undefined) survived++
  }
  assert.ok(survived > 8 && survived < 32, `${survived} of 40`)
})

test('a message takes its bytes over the slower end, plus the latency; those behind it wait', async () => {
  const scheduler = new Scheduler(0)
  const regions = [
    { name: 'a', part: 0.5, upMbit: 8, downMbit: 80 },
    { name: 'b', part: 0.5, upMbit: 8, downMbit: 4 },
  ]
  const shape = { nearMs: 5, farMs: 50, jitterPart: 0, lossPart: 0 }
  const links = new ShapedLinks(scheduler, new Draws(1, 'links'), shape, regions)
  const [from, to] = [processOn(scheduler, 0), processOn(scheduler, 1)]
  links.attach(from)
  links.attach(to)
  const arrivals: number[] = []
  // 1,000 bytes a ms up, 500 a ms down: 2 s down, which begins when the first byte is there.
  for (let i = 0; i < 2; i++) links.transmit(0, 1, 1_000_000, to, () => arrivals.push(scheduler.nowMs))
  links.transmit(1, 0, 1_000, from, () => arrivals.push(scheduler.nowMs))
  await scheduler.run(100_000, never)
  assert.deepEqual(arrivals, [51, 2_050, 4_050])
  assert.deepEqual(links.bytesOf(0), { up: 2_000_000, down: 1_000 })
})

test('a node that is down refuses at once, one behind a cut does not answer', async () => {
  const scheduler = new Scheduler(0)
  const regions = ['a', 'b'].map((name) => ({ name, part: 0.5, upMbit: 8, downMbit: 8 }))
  const shape = { nearMs: 5, farMs: 50, jitterPart: 0, lossPart: 0 }
  const links = new ShapedLinks(scheduler, new Draws(1, 'links'), shape, regions)
  const [caller, peer] = [processOn(scheduler, 0), processOn(scheduler, 1)]
  peer.answer = async () => ({ body: 'yes', sizeBytes: 10 })
  links.attach(caller)
  links.attach(peer)
  const answers: [unknown, number][] = []
  caller.spawn(async () => {
    const ask = async (): Promise<void> => {
      const startMs = scheduler.nowMs
      const answer = await links.call(caller, 1, { body: 0, sizeBytes: 10 }, 'an answer', 3_000)
      answers.push([answer, Math.round(scheduler.nowMs - startMs)])
    }
    await ask()
    links.cut('b', true)
    await ask()
    links.cut('b', false)
    peer.kill()
    await ask()
  })
  await scheduler.run(100_000, never)
  assert.deepEqual(answers, [
    ['yes', 100],
    [undefined, 3_000],
    [REFUSED, 100],
  ])
})

test('every chunk of a model is proven, and no other passes for it', () => {
  const values = Float32Array.from({ length: 1_000 }, (_, i) => i / 7)
  const { root, chunks } = modelFileOf(values)
  const reader = new ChunkReader()
  const count = chunkCount(values.length)
  assert.equal(chunks.length, count)
  for (const chunk of chunks) {
    assert.ok(reader.belongs(chunk, root, count))
    assert.ok(reader.belongs(chunk, root, count))
    const spoilt = { ...chunk, bytes: chunk.bytes.map((byte, i) => (i === 3 ? byte ^ 128 : byte)) }
    assert.ok(!reader.belongs(spoilt, root, count))
    assert.ok(!reader.belongs({ ...chunk, index: (chunk.index + 1) % count }, root, count))
  }
  assert.equal(reader.verified, 3 * count)
})

test('a delivery opens to what was sealed, and is refused with one bit changed anywhere', () => {
  const secret = sha256(utf8('worker'))
  const how = { kind: 'topk', keep: 64, feedback: 8 } as const
  const delta = Float32Array.from({ length: 300 }, (_, i) => ((i * 37) % 11) - 5)
  const { bytes: payload, update } = compressUpdate(delta, undefined, how)
  const delivery = { round: 3, base: 'ab'.repeat(32), share: 7, piece: 1, steps: 5, fetchMs: 1, trainMs: 2, payload }
  const sealed = sealDelivery(delivery, secret)
  const reader = new DeliveryReader(300, how)
  const opened = reader.open(sealed)
  assert.ok(opened.ok && opened.delivery.from === addressOfSecret(secret))
  assert.deepEqual({ ...delivery, ...opened.delivery }, opened.delivery)
  assert.deepEqual(reader.decode(opened.delivery), update)
  reader.open(sealed)
  assert.equal(reader.verified, 1)
  for (const at of [0, 40, 60, sealed.length - 40, sealed.length - 1]) {
    const bent = reader.open(sealed.map((byte, i) => (i === at ? byte ^ 4 : byte)))
    assert.ok(!bent.ok || bent.delivery.from !== addressOfSecret(secret), `byte ${at}`)
  }
  assert.ok(!reader.open(sealed.subarray(0, 50)).ok)
})

test('one signature stands for a batch of receipts, and for nothing else', () => {
  const secret = sha256(utf8('keeper'))
  const ids = ['a', 'b', 'c'].map((text) => Buffer.from(sha256(utf8(text))).toString('hex'))
  const receipts = signReceipts(ids, secret)
  const reader = new ReceiptReader()
  receipts.forEach((receipt, i) => {
    assert.equal(reader.signerOf(receipt, ids[i] ?? ''), addressOfSecret(secret))
    assert.equal(reader.signerOf(receipt, ids[(i + 1) % 3] ?? ''), undefined)
  })
  assert.equal(reader.verified, 1)
})

test('a set takes of each piece the delivery in most lists, and nothing that counted before [S-10]', () => {
  const list = (...entries: string[]) => ({
    round: 2,
    entries: entries.map((entry) => ({ id: entry, key: entry.slice(0, -1) })),
  })
  const none = new Map<string, never>()
  const ids = (
    lists: ReturnType<typeof list>[],
    included = new Map<string, number>(),
    idOf = new Map<string, string>(),
  ) => chooseSet(lists, included, idOf).map(({ id }) => id)
  assert.deepEqual(ids([list('2/0/0b'), list('2/0/0b', '2/1/0x'), list('2/0/0a')]), ['2/0/0b', '2/1/0x'])
  assert.deepEqual(ids([list('2/0/0b'), list('2/0/0a')]), ['2/0/0a'])
  assert.deepEqual(ids([list('2/0/0a', '1/0/0c')], new Map([['1/0/0c', 1]])), ['2/0/0a'])
  assert.deepEqual(ids([list('1/0/0d')], none, new Map([['1/0/0', '1/0/0c']])), [])
})

test('drawn digits follow from their seed and have all classes', () => {
  const [one, again, other] = [drawDigits(1, 200), drawDigits(1, 200), drawDigits(2, 200)]
  assert.deepEqual(one, again)
  assert.notDeepEqual(one.inputs, other.inputs)
  assert.equal(new Set(one.targets).size, 10)
  assert.ok(one.inputs.every((value) => value >= 0 && value <= 1))
})
