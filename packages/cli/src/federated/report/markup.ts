/** Text as HTML and SVG show it. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A number short enough for an axis or a table. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1)
  if (Number.isInteger(value)) return String(value)
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
      ? value.toFixed(1)
      : size >= 1
        ? value.toFixed(2)
        : value.toFixed(3)
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Bytes on a wire, in powers of a thousand as links are sold. */
export function wireSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1_000 ** power
  return `${power === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** Place in a picture, to a tenth of a unit: files stay small. */
export const place = (value: number): string => (Math.round(value * 10) / 10).toString()

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }

export const tableHtml = ({ head, rows }: Table): string => `<table>
<thead><tr>${head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map(([first = '', ...rest]) => `<tr><th scope="row">${escaped(first)}</th>${rest.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('\n')}
</tbody></table>`

/** A picture with what it shows, and its numbers for those who cannot see it or want to copy them. */
export function figure({ title, says, svg, table }: Figure): string {
  return `<figure>
<figcaption><h2>${escaped(title)}</h2><p>${escaped(says)}</p></figcaption>
<div class="picture">${svg}</div>
<details><summary>The numbers of this picture</summary><div class="scroll">${tableHtml(table)}</div></details>
</figure>`
}

export type Figure = {
  readonly title: string
  /** What to see in it, in a sentence. */
  readonly says: string
  readonly svg: string
  readonly table: Table
}
