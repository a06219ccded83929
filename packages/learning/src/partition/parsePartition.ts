import { PotluckError } from '@potluck/protocol'
import type { Partition } from './Partition.ts'

/** Beyond these, f64 tells the clients' parts neither from one client alone nor from equal parts. */
const LEAST_ALPHA = 1e-6
const MOST_ALPHA = 1e6
const MOST_LABELS = 65_536

/**
 * Reads `iid`, `dirichlet:0.3`, `labels:2` or `by-column:COL`.
 *
 * @throws PotluckError BAD_PARTITION with what was seen and the forms there are
 */
export function parsePartition(text: string): Partition {
  const colon = text.indexOf(':')
  const [name, value] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
  switch (name) {
    case 'iid':
      if (value === undefined) return { kind: 'iid' }
      break
    case 'dirichlet': {
      const alpha = /^(\d{1,9}(\.\d{0,17})?|\.\d{1,17})(e-?\d)?$/i.test(value ?? '') ? Number(value) : Number.NaN
      if (alpha >= LEAST_ALPHA && alpha <= MOST_ALPHA) return { kind: 'dirichlet', alpha }
      throw refuse(text, `dirichlet takes a number from ${LEAST_ALPHA} to ${MOST_ALPHA}, as in dirichlet:0.3`)
    }
    case 'labels': {
      const labels = /^\d{1,6}$/.test(value ?? '') ? Number(value) : 0
      if (labels >= 1 && labels <= MOST_LABELS) return { kind: 'labels', labels }
      throw refuse(text, 'labels takes how many classes a client has, from 1, as in labels:2')
    }
    case 'by-column':
      if (value) return { kind: 'column', column: value }
      throw refuse(text, 'by-column takes the name of a column, as in by-column:hospital')
  }
  throw refuse(text, 'write iid, dirichlet:ALPHA, labels:K or by-column:COLUMN')
}

const refuse = (text: string, advice: string): PotluckError => {
  const seen = text.slice(0, 60)
  return new PotluckError('BAD_PARTITION', `no partition is called ${JSON.stringify(seen)}: ${advice}`, { seen })
}
