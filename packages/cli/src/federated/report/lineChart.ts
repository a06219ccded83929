import { axisTicks, logTicks } from './axisTicks.ts'
import { escaped, place, shortNumber } from './markup.ts'

export type Series = {
  readonly name: string
  /** x, y; x rising. */
  readonly points: readonly (readonly [number, number])[]
  /** Number of its colour, from 0. */
  readonly colour: number
  readonly isDashed?: boolean
}

export type LineChart = {
  /** Read aloud in place of the picture. */
  readonly label: string
  readonly xName: string
  readonly yName: string
  readonly series: readonly Series[]
  readonly isLog?: boolean
  readonly shown?: (value: number) => string
}

const [WIDTH, HEIGHT] = [720, 280]
const margin = { left: 70, right: 150, top: 16, bottom: 44 }

/** Curves over rounds, each named at its end. Values that are not finite, or not positive on a logarithmic axis, are left out. */
export function lineChart(chart: LineChart): string {
  const { label, xName, yName, isLog = false, shown = shortNumber } = chart
  const series = chart.series.map((one) => ({
    ...one,
    points: one.points.filter(([, y]) => Number.isFinite(y) && (!isLog || y > 0)),
  }))
  const all = series.flatMap(({ points }) => points)
  if (all.length === 0) return `<p>Nothing to draw: ${escaped(yName)} was never finite.</p>`
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)]
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const yTicks = isLog ? logTicks(Math.min(...ys), Math.max(...ys)) : axisTicks(...spread(ys))
  const scale = isLog ? Math.log10 : (value: number) => value
  const [low, high] = isLog ? [scale(yTicks[0]!), scale(yTicks.at(-1)!)] : spread(ys)
  const x = (value: number): number =>
    margin.left + ((value - left) / (right - left || 1)) * (WIDTH - margin.left - margin.right)
  const y = (value: number): number =>
    margin.top + ((high - scale(value)) / (high - low || 1)) * (HEIGHT - margin.top - margin.bottom)
  const bottom = HEIGHT - margin.bottom
  const xTicks = axisTicks(left, right, 8).filter(Number.isInteger)
  const names = apart(series.flatMap(({ points }, i) => (points.length > 0 ? [{ i, at: y(points.at(-1)![1]) }] : [])))
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(label)}">
${yTicks.map((tick) => `<path class="grid" d="M${margin.left} ${place(y(tick))}H${WIDTH - margin.right}"/><text x="${margin.left - 8}" y="${place(y(tick) + 4)}" text-anchor="end">${escaped(shown(tick))}</text>`).join('\n')}
${xTicks.map((tick) => `<text x="${place(x(tick))}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`).join('')}
<text x="${place((margin.left + WIDTH - margin.right) / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(xName)}</text>
${series.map((one) => curve(one, x, y, yName, shown)).join('\n')}
${names.map(({ i, at }) => `<text class="c${series[i]!.colour} name" x="${WIDTH - margin.right + 8}" y="${place(at + 4)}">${escaped(series[i]!.name)}</text>`).join('\n')}
</svg>`
}

/** More dots than this hide the line they stand on. */
const MOST_DOTS = 60

function curve(
  { name, points, colour, isDashed }: Series,
  x: (value: number) => number,
  y: (value: number) => number,
  yName: string,
  shown: (value: number) => string,
): string {
  const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${place(x(px))} ${place(y(py))}`).join('')
  const dots = points.length > MOST_DOTS ? points.slice(-1) : points
  const marks = dots.map(
    ([px, py]) =>
      `<circle class="c${colour}" cx="${place(x(px))}" cy="${place(y(py))}" r="2.5"><title>${escaped(`${name}, round ${px}: ${yName} ${shown(py)}`)}</title></circle>`,
  )
  return `<path class="line c${colour}"${isDashed ? ' stroke-dasharray="5 4"' : ''} d="${path}"/>${marks.join('')}`
}

/** Lowest and highest value with a little room; a flat curve gets some too. */
function spread(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room]
}

/** Names that would lie on each other are pushed apart, from the top. */
function apart(names: readonly { i: number; at: number }[]): { i: number; at: number }[] {
  const placed: { i: number; at: number }[] = []
  for (const { i, at } of [...names].sort((a, b) => a.at - b.at)) {
    placed.push({ i, at: Math.max(at, (placed.at(-1)?.at ?? Number.NEGATIVE_INFINITY) + 15) })
  }
  return placed
}
