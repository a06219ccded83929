import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { dirichletParts } from './dirichletParts.ts'
import type { Partition } from './Partition.ts'

/** Streams of numbers (E-14), one for each use; the step is the class or the client. */
const purpose = { order: 40, parts: 41, labels: 42 } as const

/**
 * Rows of each client: every row at one client at most, in rising order, at least one row a client. A function of its arguments
 * alone, the same on every machine.
 *
 * `iid`, `dirichlet` and `column` give every row away; `labels` too, since every class has a client.
 *
 * @param labels class of each row, from 0; for `column` the number of the column's value, which is the client's number
 * @throws PotluckError BAD_CLIENTS, EMPTY_DATA, TOO_MANY_CLIENTS, BAD_LABEL, ONE_CLASS, TOO_FEW_LABELS, TOO_MANY_LABELS, EMPTY_CLIENT
 */
export function partitionRows(labels: Int32Array, clients: number, how: Partition, seed: Uint8Array): Uint32Array[] {
  checkExtents(labels, clients)
  const byClient = Array.from({ length: clients }, (): number[] => [])
  switch (how.kind) {
    case 'iid':
      deal(shuffled(indices(labels.length), seed, 0), byClient)
      break
    case 'dirichlet':
      dealDirichlet(rowsByClass(labels, how.kind), byClient, how.alpha, seed)
      break
    case 'labels':
      dealLabels(rowsByClass(labels, how.kind), byClient, how.labels, seed)
      break
    case 'column':
      labels.forEach((client, row) => {
        const rows = byClient[client]
        if (!rows) throw badLabel(client, row, clients)
        rows.push(row)
      })
      refuseEmpty(byClient, how.column)
      break
  }
  fillEmpty(byClient)
  return byClient.map((rows) => Uint32Array.from(rows).sort())
}

/** [L-75] */
function checkExtents(labels: Int32Array, clients: number): void {
  if (!Number.isSafeInteger(clients) || clients < 1) {
    throw new PotluckError('BAD_CLIENTS', `clients must be a whole number from 1, got ${clients}`, { clients })
  }
  const rows = labels.length
  if (rows === 0) throw new PotluckError('EMPTY_DATA', 'there is no row to divide: name a file with rows')
  if (clients > rows) {
    const message = `${clients} clients cannot share ${rows} rows, each needs at least one: take ${rows} clients or fewer`
    throw new PotluckError('TOO_MANY_CLIENTS', message, { clients, rows })
  }
  const at = labels.findIndex((label) => label < 0)
  if (at >= 0) throw badLabel(labels[at]!, at, Number.POSITIVE_INFINITY)
}

const badLabel = (label: number, row: number, limit: number): PotluckError =>
  new PotluckError(
    'BAD_LABEL',
    `row ${row} has label ${label}, expected 0 ${limit < Number.POSITIVE_INFINITY ? `to ${limit - 1}` : 'or more'}`,
    { row, label },
  )

/** The rows of each class that has any. Throws ONE_CLASS where there is nothing to divide by. */
function rowsByClass(labels: Int32Array, kind: 'dirichlet' | 'labels'): Uint32Array[] {
  const classes = new Map<number, number[]>()
  labels.forEach((label, row) => {
    const rows = classes.get(label)
    if (rows) rows.push(row)
    else classes.set(label, [row])
  })
  if (classes.size > 1) return [...classes].sort(([a], [b]) => a - b).map(([, rows]) => Uint32Array.from(rows))
  const message = `every row has class ${labels[0]}, so ${kind} has nothing to divide by: use iid or by-column:COLUMN, or check which column is the target`
  throw new PotluckError('ONE_CLASS', message, { label: labels[0] ?? 0 })
}

const indices = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i)

/** Fisher and Yates from the last place down, in place. */
function shuffled(rows: Uint32Array, seed: Uint8Array, step: number): Uint32Array {
  const random = new RandomStream(seed, purpose.order, step)
  for (let last = rows.length - 1; last > 0; last--) {
    const other = random.below(rows.length - 1 - last, last + 1)
    const kept = rows[last]!
    rows[last] = rows[other]!
    rows[other] = kept
  }
  return rows
}

/** Equal parts up to one row, in order. */
function deal(rows: Uint32Array, among: readonly number[][]): void {
  among.forEach((client, c) => {
    const from = Math.floor((c * rows.length) / among.length)
    const to = Math.floor(((c + 1) * rows.length) / among.length)
    for (let i = from; i < to; i++) client.push(rows[i]!)
  })
}

/** [L-76] */
function dealDirichlet(classes: readonly Uint32Array[], clients: number[][], alpha: number, seed: Uint8Array): void {
  classes.forEach((of, k) => {
    const rows = shuffled(of, seed, k)
    const parts = dirichletParts(new RandomStream(seed, purpose.parts, k), clients.length, alpha)
    let [sum, from] = [0, 0]
    parts.forEach((part, c) => {
      sum += part
      const to = c === parts.length - 1 ? rows.length : Math.min(rows.length, Math.floor(sum * rows.length))
      for (; from < to; from++) clients[c]!.push(rows[from]!)
    })
  })
}

/** [L-77] */
function dealLabels(classes: readonly Uint32Array[], clients: number[][], labels: number, seed: Uint8Array): void {
  const K = classes.length
  if (labels > K) {
    const message = `labels:${labels} wants ${labels} classes a client, the data has ${K}: use labels:${K} at most`
    throw new PotluckError('TOO_MANY_LABELS', message, { labels, classes: K })
  }
  if (labels * clients.length < K) {
    const [more, wider] = [Math.ceil(K / labels), Math.ceil(K / clients.length)]
    const message = `${clients.length} clients of ${labels} classes leave some of ${K} classes to nobody: take ${more} clients, or labels:${wider}`
    throw new PotluckError('TOO_FEW_LABELS', message, { labels, classes: K, clients: clients.length })
  }
  const held = clients.map((_, c) => [c % K])
  const isUnheld = new Set(indices(K))
  for (const [first] of held) isUnheld.delete(first!)
  held.forEach((mine, c) => {
    const random = new RandomStream(seed, purpose.labels, c)
    for (let i = 0; mine.length < labels; i++) {
      const open = isUnheld.size > 0 ? [...isUnheld] : [...indices(K)].filter((k) => !mine.includes(k))
      const next = open[random.below(i, open.length)]!
      mine.push(next)
      isUnheld.delete(next)
    }
  })
  classes.forEach((of, k) => {
    deal(
      shuffled(of, seed, k),
      clients.filter((_, c) => held[c]!.includes(k)),
    )
  })
}

/** A client without rows takes the last row of the one with most, the first of equals [L-75]. There are as many rows as clients. */
function fillEmpty(clients: readonly number[][]): void {
  for (const empty of clients) {
    if (empty.length > 0) continue
    const richest = clients.reduce((most, client) => (client.length > most.length ? client : most))
    empty.push(richest.pop()!)
  }
}

function refuseEmpty(clients: readonly number[][], column: string): void {
  const client = clients.findIndex((rows) => rows.length === 0)
  if (client < 0) return
  const message = `client ${client} of ${clients.length} has no row by column ${column}: ask for as many clients as the column has values`
  throw new PotluckError('EMPTY_CLIENT', message, { client, column })
}
