import type { Row } from './Row.ts'

/** Values near zero are compared as if they were this large: a gap of 0.001 may well become one of 0.0012. */
const LEAST_SCALE = 0.01

/**
 * What differs between a run and the committed one, a line each: rows missing or new, other units, values further apart than
 * `tolerance` times the committed value. Better values count too: a baseline that is no longer true should be replaced.
 */
export function compareRows(rows: readonly Row[], baseline: readonly Row[], tolerance: number): string[] {
  const findings: string[] = []
  for (const old of baseline) {
    const row = rows.find(({ what }) => what === old.what)
    if (!row) {
      findings.push(`${old.what}: not measured any more; was ${old.value} ${old.unit}`)
    } else if (row.unit !== old.unit) {
      findings.push(`${old.what}: measured in ${row.unit}; was in ${old.unit}`)
    } else if (!(Math.abs(row.value - old.value) <= tolerance * Math.max(Math.abs(old.value), LEAST_SCALE))) {
      findings.push(`${old.what}: ${row.value} ${row.unit}; was ${old.value}`)
    }
  }
  for (const { what } of rows) {
    if (!baseline.some((old) => old.what === what)) findings.push(`${what}: not in the committed result`)
  }
  return findings
}
