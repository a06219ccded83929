/**
 * Tables that others have published, beside ours on the same data, split and settings. Each part gives its rows; the one for images is
 * run in slices (see there) and only read here.
 */
import { publishedHeart } from './learning/publishedHeart.ts'
import { publishedHeartPrivate } from './learning/publishedHeartPrivate.ts'
import { publishedImageRows } from './learning/publishedImages.ts'
import type { Row } from './Row.ts'

const parts: readonly (() => Promise<Row[]>)[] = [publishedHeart, publishedHeartPrivate, publishedImageRows]

export const run = async (): Promise<Row[]> => {
  const rows: Row[] = []
  for (const part of parts) rows.push(...(await part()))
  return rows
}
