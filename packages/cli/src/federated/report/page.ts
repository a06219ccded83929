import { escaped, tableHtml } from './markup.ts'
import { pageStyle } from './pageStyle.ts'

export type Page = {
  readonly title: string
  /** What it is about, in a sentence. */
  readonly summary: string
  /** The numbers to see first: value and what it is. */
  readonly tiles: readonly (readonly [string, string])[]
  /** Sections and figures, as HTML. */
  readonly sections: readonly string[]
}

/** A report: one page that needs nothing but itself, readable without its pictures and in light or dark. */
export const page = ({ title, summary, tiles, sections }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p class="quiet">${escaped(summary)}</p>
</header>
<main>
<ul class="tiles">
${tiles.map(([value, name]) => `<li><b>${escaped(value)}</b><span>${escaped(name)}</span></li>`).join('\n')}
</ul>
${sections.filter((section) => section !== '').join('\n')}
</main>
</body>
</html>
`

/** Names with values, as the last section of a report. */
export const settingsSection = (settings: readonly (readonly [string, string])[]): string =>
  `<section class="settings"><h2>Settings</h2>
${tableHtml({ head: ['setting', 'value'], rows: settings })}
</section>`
