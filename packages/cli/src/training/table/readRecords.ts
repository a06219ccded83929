import { PotluckError } from '@potluck/protocol'

export type CsvRecord = {
  readonly fields: readonly string[]
  /** Line of the file it begins at, from 1. */
  readonly line: number
}

export const delimiters = ['\t', ';', ','] as const
export type Delimiter = (typeof delimiters)[number]

/**
 * The records of delimited text by RFC 4180: fields may stand in double quotes, and then hold delimiters, line ends and
 * doubled quotes. Line ends are LF or CRLF. Fields without quotes are trimmed; empty lines are left out.
 *
 * @param most stop after so many records
 * @throws PotluckError BAD_CSV with the line: a quote that is never closed, or text after a closing quote
 */
export function readRecords(
  text: string,
  delimiter: Delimiter,
  file: string,
  most = Number.POSITIVE_INFINITY,
): CsvRecord[] {
  const records: CsvRecord[] = []
  const end = text.length
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let line = 1
  while (at < end && records.length < most) {
    const startLine = line
    const fields: string[] = []
    for (;;) {
      const field = text[skipBlanks(text, at, delimiter)] === '"' ? quoted(at) : plain(at)
      fields.push(field.value)
      at = field.next
      if (text[at] !== delimiter) break
      at++
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    if (fields.length > 1 || fields[0] !== '') records.push({ fields, line: startLine })
  }
  return records

  function plain(from: number): { value: string; next: number } {
    let next = from
    while (next < end && text[next] !== delimiter && text[next] !== '\n') next++
    const value = text.slice(from, next)
    if (text[next] === '\n' && text[next - 1] === '\r') next--
    return { value: value.trim(), next: next }
  }

  function quoted(from: number): { value: string; next: number } {
    const opened = line
    let next = skipBlanks(text, from, delimiter) + 1
    let value = ''
    for (;;) {
      const close = text.indexOf('"', next)
      if (close < 0) throw refuse(opened, 'a double quote is opened and never closed')
      const part = text.slice(next, close)
      value += part
      for (let i = part.indexOf('\n'); i >= 0; i = part.indexOf('\n', i + 1)) line++
      next = close + 1
      if (text[next] !== '"') break
      value += '"'
      next++
    }
    next = skipBlanks(text, next, delimiter)
    if (next < end && text[next] !== delimiter && text[next] !== '\n' && text[next] !== '\r') {
      throw refuse(line, `text after a closing quote: "${text.slice(next, next + 20)}"`)
    }
    return { value, next }
  }

  function refuse(where: number, why: string): PotluckError {
    return new PotluckError('BAD_CSV', `${file}, line ${where}: ${why}. Double the quotes inside a quoted field.`, {
      file,
      line: where,
    })
  }
}

function skipBlanks(text: string, from: number, delimiter: Delimiter): number {
  let at = from
  while (text[at] === ' ' || (text[at] === '\t' && delimiter !== '\t')) at++
  return at
}
