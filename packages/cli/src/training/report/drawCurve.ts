import { bucketMeans } from './bucketMeans.ts'

export type CurvePoint = { readonly step: number; readonly loss: number }

/**
 * A curve in characters: `·` the training loss, averaged over the steps that share a column, `o` a validation loss. The scale
 * is linear from the lowest to the highest of both; what is not finite is left out.
 *
 * @param losses loss of step 1, 2, …
 * @returns `height` lines of at most `width` + 10 characters, and one with the steps; none for fewer than two points
 */
export function drawCurve(
  losses: readonly number[],
  validation: readonly CurvePoint[],
  { width = 60, height = 10 } = {},
): string[] {
  const means = bucketMeans(losses, width)
  const marks = validation.map(({ step, loss }) => ({
    column: Math.min(means.length - 1, Math.max(0, Math.floor(((step - 1) * means.length) / losses.length))),
    loss,
  }))
  const shown = [...means, ...marks.map(({ loss }) => loss)].filter(Number.isFinite)
  if (means.length < 2 || shown.length === 0) return []
  const low = Math.min(...shown)
  const high = Math.max(...shown)
  const rowOf = (loss: number): number => Math.round(((high - loss) / (high - low || 1)) * (height - 1))
  const cells = Array.from({ length: height }, () => new Array<string>(means.length).fill(' '))
  const put = (column: number, loss: number, sign: string): void => {
    const row = cells[rowOf(loss)]
    if (Number.isFinite(loss) && row) row[column] = sign
  }
  means.forEach((loss, column) => {
    put(column, loss, '·')
  })
  for (const { column, loss } of marks) put(column, loss, 'o')
  const label = (row: number): string => (high - ((high - low) * row) / (height - 1)).toFixed(3).padStart(8)
  const lines = cells.map((row, i) =>
    `${i === 0 || i === height - 1 ? label(i) : ' '.repeat(8)} │${row.join('')}`.trimEnd(),
  )
  const last = `step ${losses.length}`
  const axis = `${' '.repeat(10)}1${last.padStart(Math.max(last.length + 1, means.length - 1))}`
  return [...lines, `${axis}   · training${marks.length > 0 ? '  o validation' : ''}`]
}
