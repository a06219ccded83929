import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { crc32c, maskedCrc32c } from './crc32c.ts'
import { EventFile } from './EventFile.ts'
import { firstRecord, recordOf, type ScalarEvent, scalarRecord } from './eventBytes.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-events-'))
after(() => rmSync(dir, { recursive: true }))

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

test('CRC-32C has its published values', () => {
  assert.equal(crc32c(ascii('123456789')), 0xe3069283)
  // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, rising, falling.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c)
})

test('a masked sum is the sum turned by 15 bits plus the constant', () => {
  // 0xE3069283 = 1110 0011 0000 0110 1001 0010 1000 0011; turned right by 15: 0x2507C60D; plus 0xA282EAD8.
  assert.equal(maskedCrc32c(ascii('123456789')), 0xc78ab0e5)
})

test('a record holds length, data and both sums, byte for byte', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const record = recordOf(ascii('123456789'))
  assert.equal(hex(record.subarray(0, 8)), '0900000000000000')
  assert.equal(hex(record.subarray(12, 21)), hex(ascii('123456789')))
  assert.equal(hex(record.subarray(21)), 'e5b08ac7')
  // Event { wall_time: 1.5, step: 300, summary { value { tag: "a", simple_value: 0.5 } } }, by hand.
  const event = scalarRecord({ wallTime: 1.5, step: 300, scalars: { a: 0.5 } })
  assert.equal(hex(event.subarray(12, -4)), '09000000000000f83f10ac022a0a0a080a0161150000003f')
  assert.equal(hex(firstRecord(0).subarray(12, -4)), `0900000000000000001a0d${hex(ascii('brain.Event:2'))}`)
})

/** A reader of its own: records checked by their sums, fields by their numbers. */
function readEvents(bytes: Uint8Array): { version: string; events: ScalarEvent[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const events: ScalarEvent[] = []
  let version = ''
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    assert.equal(view.getUint32(at + 8, true), maskedCrc32c(bytes.subarray(at, at + 8)))
    const data = bytes.subarray(at + 12, at + 12 + length)
    assert.equal(view.getUint32(at + 12 + length, true), maskedCrc32c(data))
    at += 16 + length
    const fields = readFields(data)
    const one = (number: number) => fields.find((field) => field.number === number)?.value
    const isFirst = one(3) instanceof Uint8Array
    if (isFirst) version = new TextDecoder().decode(one(3) as Uint8Array)
    else {
      const values = readFields(one(5) as Uint8Array).map(({ value }) => readFields(value as Uint8Array))
      const scalars = values.map((value) => [new TextDecoder().decode(value[0]?.value as Uint8Array), value[1]?.value])
      events.push({ wallTime: one(1) as number, step: one(2) as number, scalars: Object.fromEntries(scalars) })
    }
  }
  return { version, events }
}

function readFields(data: Uint8Array): { number: number; value: number | Uint8Array }[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const fields: { number: number; value: number | Uint8Array }[] = []
  let at = 0
  const take = (count: number): number => {
    at += count
    return at - count
  }
  const varint = (): number => {
    let [value, unit] = [0, 1]
    for (;;) {
      const byte = data[at++]!
      value += (byte & 0x7f) * unit
      unit *= 128
      if (byte < 0x80) return value
    }
  }
  while (at < data.length) {
    const key = varint()
    const [number, type] = [Math.floor(key / 8), key % 8]
    if (type === 0) fields.push({ number, value: varint() })
    else if (type === 1) fields.push({ number, value: view.getFloat64(take(8), true) })
    else if (type === 5) fields.push({ number, value: view.getFloat32(take(4), true) })
    else {
      const length = varint()
      const from = take(length)
      fields.push({ number, value: data.subarray(from, at) })
    }
  }
  return fields
}

const events: ScalarEvent[] = [1, 2, 700].map((step) => ({
  wallTime: 1_795_000_000.25 + step,
  step,
  scalars: { 'loss/training': 1 / step, 'bytes/up': 65_536 * step },
}))
const asFloats = (all: readonly ScalarEvent[]): ScalarEvent[] =>
  all.map((event) => ({
    ...event,
    scalars: Object.fromEntries(Object.entries(event.scalars).map(([tag, value]) => [tag, Math.fround(value)])),
  }))

test('an event file reads back as it was written, and a resumed run leaves one file', () => {
  const first = new EventFile(dir, [], 1_795_000_000.25)
  for (const event of events) first.add(event)
  const read = () => {
    const names = readdirSync(dir)
    assert.deepEqual(names.length, 1)
    return readEvents(new Uint8Array(readFileSync(join(dir, names[0]!))))
  }
  assert.deepEqual(read(), { version: 'brain.Event:2', events: asFloats(events) })
  const resumed = new EventFile(dir, events.slice(0, 2), 1_795_009_999)
  resumed.add(events[2]!)
  assert.deepEqual(read().events, asFloats(events))
})
