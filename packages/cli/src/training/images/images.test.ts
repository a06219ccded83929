import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { PotluckError } from '@potluck/protocol'
import { readDataFile } from '../readDataFile.ts'
import { parseIdx } from './parseIdx.ts'
import { checkLabels, pairImages, pixelStatistics, readImages } from './readImages.ts'
import { idxBytes } from './testIdx.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-images-'))
after(() => rmSync(dir, { recursive: true }))

const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

test('an IDX file reads as its extents and bytes, packed or not', () => {
  const bytes = idxBytes([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255])
  const { extents, values } = parseIdx(bytes, 'a')
  assert.deepEqual(extents, [2, 2, 3])
  assert.equal(values[11], 255)
  writeFileSync(join(dir, 'images'), gzipSync(bytes))
  writeFileSync(join(dir, 'labels'), idxBytes([2], [4, 0]))
  const images = readImages(join(dir, 'images'), join(dir, 'labels'))
  assert.deepEqual([images.count, images.height, images.width, images.channels], [2, 2, 3, 1])
  assert.deepEqual([...images.labels], [4, 0])
})

test('a header that lies about sizes, a cut file and other types are refused before anything is made', () => {
  const good = idxBytes([2, 2], [1, 2, 3, 4])
  assert.throws(() => parseIdx(good.subarray(0, 14), 'a'), refusal('BAD_IDX', '2 × 2 = 4', '2 follow'))
  const huge = idxBytes([0xffffffff, 0xffffffff, 0xffffffff], [1])
  assert.throws(() => parseIdx(huge, 'a'), refusal('BAD_IDX', '4294967295', '1 follow'))
  const floats = good.slice()
  floats[2] = 0x0d
  assert.throws(() => parseIdx(floats, 'a'), refusal('BAD_IDX', 'floats'))
  const many = good.slice()
  many[3] = 200
  assert.throws(() => parseIdx(many, 'a'), refusal('BAD_IDX', '200 extents'))
  const header = good.slice(0, 9)
  header[3] = 3
  assert.throws(() => parseIdx(header, 'a'), refusal('BAD_IDX', 'inside its header'))
  assert.throws(() => parseIdx(new TextEncoder().encode('hello world'), 'a'), refusal('BAD_IDX', '68 65 6c 6c'))
  assert.throws(() => parseIdx(idxBytes([0, 28], []), 'a'), refusal('BAD_IDX', 'no values'))
})

test('images and labels must belong together, and labels be classes', () => {
  const files = { imagesFile: 'i', labelsFile: 'l' }
  const images = parseIdx(idxBytes([2, 1, 1], [1, 2]), 'i')
  assert.throws(
    () => pairImages(images, parseIdx(idxBytes([3], [1, 2, 3]), 'l'), files),
    refusal('SHAPE', '2 images', '3 labels'),
  )
  assert.throws(() => pairImages(parseIdx(idxBytes([2], [1, 2]), 'i'), images, files), refusal('SHAPE', 'swapped'))
  assert.throws(
    () => checkLabels(Uint8Array.of(0, 9, 10), 10, 'l'),
    refusal('LABEL_RANGE', 'image 2', 'label 10', '0 to 9'),
  )
  checkLabels(Uint8Array.of(0, 9), 10, 'l')
})

test('pixel statistics are those of the images named', () => {
  const files = { imagesFile: 'i', labelsFile: 'l' }
  const images = pairImages(
    parseIdx(idxBytes([3, 1, 2], [0, 255, 7, 7, 0, 255]), 'i'),
    parseIdx(idxBytes([3], [0, 0, 0]), 'l'),
    files,
  )
  assert.deepEqual(pixelStatistics(images, Int32Array.of(0, 2)), { mean: 0.5, deviation: 0.5 })
  assert.equal(pixelStatistics(images, Int32Array.of(1)).deviation, 1)
})

test('a data file that is missing, empty, cut or larger than it says is refused', () => {
  const file = join(dir, 'data.gz')
  assert.throws(() => readDataFile(file), refusal('FILE_MISSING', file))
  writeFileSync(file, '')
  assert.throws(() => readDataFile(file), refusal('EMPTY_FILE', file))
  const packed = gzipSync(Buffer.alloc(100_000))
  writeFileSync(file, packed.subarray(0, 60))
  assert.throws(() => readDataFile(file), refusal('BAD_GZIP', 'cut off'))
  writeFileSync(file, packed)
  assert.throws(() => readDataFile(file, 5_000), refusal('FILE_TOO_LARGE', '5000'))
  assert.equal(readDataFile(file).length, 100_000)
  writeFileSync(file, gzipSync(''))
  assert.throws(() => readDataFile(file), refusal('EMPTY_FILE', 'unpacked'))
})
