/**
 * The part of a body of `sizeBytes` that a `Range` header asks for: `first` inclusive, `end` exclusive.
 *
 * Undefined means the whole body: no header, another unit, several ranges or a malformed one, all of which a server may
 * ignore (RFC 9110, 14.2). `unsatisfiable` when the one range starts at or beyond the end.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { first: number; end: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (found === null) return undefined
  const [, from = '', to = ''] = found
  if (from === '' && to === '') return undefined
  if (from === '') {
    const last = Number(to)
    return last === 0 || sizeBytes === 0 ? 'unsatisfiable' : { first: Math.max(0, sizeBytes - last), end: sizeBytes }
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return undefined
  if (first >= sizeBytes) return 'unsatisfiable'
  return { first, end: to === '' ? sizeBytes : Math.min(sizeBytes, Number(to) + 1) }
}
