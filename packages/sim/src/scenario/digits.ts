import { RandomStream, type TrainingData } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'

export type Rows = TrainingData & { readonly kind: 'rows'; readonly targets: Int32Array }

const SIDE = 28
const CLASSES = 10

/**
 * Rows that look like written digits to a small network: for each class a picture of four strokes, moved by up to two pixels, with
 * noise. Drawn from the seed, so that no data set is needed; accuracy on them says nothing about any other data.
 *
 * @returns inputs [rows, 784] in [0, 1], targets 0 to 9
 */
export function drawDigits(seed: number, rows: number): Rows {
  const random = new RandomStream(utf8(`potluck sim/digits/${seed}`), 70, 0)
  let at = 0
  const pictures = Array.from({ length: CLASSES }, () => {
    const ends = Array.from({ length: 16 }, () => 4 + random.below(at++, SIDE - 8))
    return Float32Array.from({ length: SIDE * SIDE }, (_, pixel) => {
      const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)]
      let nearest = Number.POSITIVE_INFINITY
      for (let stroke = 0; stroke < 4; stroke++) {
        const [ax = 0, ay = 0, bx = 0, by = 0] = ends.slice(4 * stroke)
        nearest = Math.min(nearest, distance(x, y, ax, ay, bx, by))
      }
      return Math.max(0, 1 - nearest / 2.5)
    })
  })
  const inputs = new Float32Array(rows * SIDE * SIDE)
  const targets = new Int32Array(rows)
  const numbers = new RandomStream(utf8(`potluck sim/digits/${seed}`), 71, 0)
  for (let row = 0; row < rows; row++) {
    const label = random.below(at++, CLASSES)
    const picture = pictures[label] ?? new Float32Array(SIDE * SIDE)
    const [dx, dy] = [random.below(at++, 5) - 2, random.below(at++, 5) - 2]
    targets[row] = label
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const [x, y] = [(pixel % SIDE) - dx, Math.floor(pixel / SIDE) - dy]
      const ink = x >= 0 && x < SIDE && y >= 0 && y < SIDE ? (picture[y * SIDE + x] ?? 0) : 0
      // One word gives four bytes of noise.
      const word = numbers.word((row * SIDE * SIDE + pixel) >> 2)
      const noise = ((word >>> (8 * (pixel & 3))) & 255) / 255
      inputs[row * SIDE * SIDE + pixel] = Math.min(1, 0.7 * ink + 0.45 * noise)
    }
  }
  return { kind: 'rows', inputs, targets }
}

function distance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay]
  const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / Math.max(1, dx * dx + dy * dy)))
  const [ex, ey] = [x - ax - along * dx, y - ay - along * dy]
  return Math.sqrt(ex * ex + ey * ey)
}
