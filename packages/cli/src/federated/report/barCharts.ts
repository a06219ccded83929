import { axisTicks } from './axisTicks.ts'
import { escaped, place, shortNumber } from './markup.ts'

export type Bar = {
  readonly name: string
  readonly parts: readonly { readonly name: string; readonly value: number; readonly colour: number }[]
  /** Marked as one that lies. */
  readonly isMarked?: boolean
}

const [WIDTH, LEFT, RIGHT, ROW] = [720, 120, 24, 22]

/**
 * Lying bars, one a client, their parts beside each other. Negative values go left of the zero line.
 *
 * @param label read aloud in place of the picture
 */
export function barChart(
  label: string,
  bars: readonly Bar[],
  xName: string,
  shown: (value: number) => string = shortNumber,
): string {
  const totals = bars.flatMap(({ parts }) => [
    parts.reduce((sum, { value }) => sum + Math.max(0, value), 0),
    parts.reduce((sum, { value }) => sum + Math.min(0, value), 0),
  ])
  const [low, high] = [Math.min(0, ...totals), Math.max(0, ...totals) || 1]
  const x = (value: number): number => LEFT + ((value - low) / (high - low)) * (WIDTH - LEFT - RIGHT)
  const bottom = bars.length * ROW + 8
  const rows = bars.map((bar, i) => {
    let [up, down] = [0, 0]
    const parts = bar.parts.map(({ name, value, colour }) => {
      if (!Number.isFinite(value) || value === 0) return ''
      const from = value > 0 ? up : down + value
      if (value > 0) up += value
      else down += value
      const title = `${bar.name}, ${name}: ${shown(value)}`
      return `<rect class="c${colour}${bar.isMarked ? ' marked' : ''}" x="${place(x(from))}" y="${i * ROW + 4}" width="${place(Math.max(0.5, x(from + Math.abs(value)) - x(from)))}" height="${ROW - 6}"><title>${escaped(title)}</title></rect>`
    })
    return `<text x="${LEFT - 8}" y="${i * ROW + 17}" text-anchor="end">${escaped(bar.isMarked ? `⚑ ${bar.name}` : bar.name)}</text>${parts.join('')}`
  })
  const ticks = axisTicks(low, high, 6)
  return `<svg viewBox="0 0 ${WIDTH} ${bottom + 40}" role="img" aria-label="${escaped(label)}">
${ticks.map((tick) => `<path class="grid" d="M${place(x(tick))} 0V${bottom}"/><text x="${place(x(tick))}" y="${bottom + 16}" text-anchor="middle">${escaped(shown(tick))}</text>`).join('\n')}
${rows.join('\n')}
<text x="${place((LEFT + WIDTH - RIGHT) / 2)}" y="${bottom + 34}" text-anchor="middle">${escaped(xName)}</text>
</svg>`
}

/** Names of colours in a row. */
export const legend = (names: readonly { readonly name: string; readonly colour: number }[]): string =>
  `<p class="legend">${names.map(({ name, colour }) => `<span><i class="c${colour}"></i>${escaped(name)}</span>`).join(' ')}</p>`
