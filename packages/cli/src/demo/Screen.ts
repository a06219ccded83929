/** What a person sees while the network works: one heading a stage, one line a fact, one live line on a terminal. */
export class Screen {
  readonly isTty: boolean
  #write: (text: string) => void
  #startedMs = performance.now()
  #live = ''
  #liveMs = 0

  constructor(write: (text: string) => void, isTty: boolean) {
    this.#write = write
    this.isTty = isTty
  }

  #clear(): void {
    if (this.#live) this.#write('\r\x1b[K')
    this.#live = ''
  }

  line(text = ''): void {
    this.#clear()
    this.#write(`${text}\n`)
  }

  heading(title: string): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(0).padStart(4)
    this.line()
    this.line(this.isTty ? `\x1b[1m${seconds} s  ${title}\x1b[0m` : `${seconds} s  ${title}`)
  }

  fact(text: string): void {
    this.line(`        ${text}`)
  }

  /** Progress that replaces itself on a terminal; elsewhere a line every ten seconds. */
  live(text: string): void {
    if (this.isTty) {
      this.#write(`\r\x1b[K        ${text}`)
      this.#live = text
      return
    }
    const now = performance.now()
    if (now - this.#liveMs < 10_000) return
    this.#liveMs = now
    this.#write(`        ${text}\n`)
  }
}

const TICKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** A small curve of numbers in block characters, lowest at the bottom. */
export function sparkline(values: readonly number[]): string {
  const low = Math.min(...values)
  const span = Math.max(...values) - low || 1
  return values.map((value) => TICKS[Math.round(((value - low) / span) * (TICKS.length - 1))]).join('')
}

/** Columns aligned by their widest cell; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const isNumber = (text: string): boolean => /^[-+$\d.,%]+$/.test(text)
  return rows.map((row) =>
    row.map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  '),
  )
}

/** Token units of a six-digit dollar as people write it. */
export function dollars(units: bigint): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(7, '0')
  return `${sign}$${digits.slice(0, -6)}.${digits.slice(-6)}`
}
