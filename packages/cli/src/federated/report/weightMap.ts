import type { RoundRecord } from '../RoundRecord.ts'
import type { ClientFacts } from './FederatedFacts.ts'
import { escaped, percent, place } from './markup.ts'

const [WIDTH, LEFT, RIGHT, ROW] = [720, 120, 24, 18]
/** More columns than this are too narrow to see: rounds are averaged. */
const MOST_COLUMNS = 80

/** Each client's part in each round as a field of squares: the stronger the colour, the more it counted; empty where it took no part. */
export function weightMap(
  label: string,
  clients: readonly Pick<ClientFacts, 'id' | 'isAttacker'>[],
  rounds: readonly Pick<RoundRecord, 'round' | 'members' | 'weights'>[],
): string {
  const columns = Math.min(MOST_COLUMNS, rounds.length)
  const width = (WIDTH - LEFT - RIGHT) / columns
  const startOf = (column: number): number => Math.floor((column * rounds.length) / columns)
  const cells = clients.flatMap((client, c) =>
    Array.from({ length: columns }, (_, column) => {
      const some = rounds.slice(startOf(column), startOf(column + 1))
      const seen = some.filter(({ members }) => members.includes(c))
      if (seen.length === 0) return ''
      const fair = seen.reduce((sum, { members }) => sum + 1 / members.length, 0) / seen.length
      const mean = seen.reduce((sum, one) => sum + (one.weights[one.members.indexOf(c)] ?? 0), 0) / seen.length
      const first = some[0]!.round
      const last = some.at(-1)!.round
      const when = first === last ? `round ${first}` : `rounds ${first} to ${last}`
      const strength = Math.min(1, mean / (2 * fair))
      return `<rect class="c${client.isAttacker ? 3 : 0} cell" x="${place(LEFT + column * width)}" y="${c * ROW}" width="${place(Math.max(1, width - 1))}" height="${ROW - 1}" fill-opacity="${(0.04 + 0.96 * strength).toFixed(2)}"><title>${escaped(`${client.id}, ${when}: ${percent(mean)}`)}</title></rect>`
    }),
  )
  const bottom = clients.length * ROW
  return `<svg viewBox="0 0 ${WIDTH} ${bottom + 40}" role="img" aria-label="${escaped(label)}">
<rect class="unused" x="${LEFT}" y="0" width="${WIDTH - LEFT - RIGHT}" height="${bottom - 1}"/>
${clients.map(({ id, isAttacker }, c) => `<text x="${LEFT - 8}" y="${c * ROW + 13}" text-anchor="end">${escaped(isAttacker ? `⚑ ${id}` : id)}</text>`).join('\n')}
${cells.join('\n')}
<text x="${LEFT}" y="${bottom + 16}">1</text><text x="${WIDTH - RIGHT}" y="${bottom + 16}" text-anchor="end">${rounds.at(-1)?.round ?? 0}</text>
<text x="${place((LEFT + WIDTH - RIGHT) / 2)}" y="${bottom + 32}" text-anchor="middle">round</text>
</svg>`
}
