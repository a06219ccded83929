import { participant } from '../network/plan.ts'
import { callsStage, gatewayUrl } from './callsStage.ts'
import type { Demo } from './Demo.ts'
import { awaitDatasets, heartStage } from './heartStage.ts'
import { languageStage } from './languageStage.ts'
import { booksStage, ledgerUrl, settleStage, whyStage } from './moneyStage.ts'
import { reportStage } from './reportStage.ts'

export type Timed = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>

/** The whole loop, once, through the commands and interfaces that everybody has. */
export async function runDemo(demo: Demo, timed: Timed): Promise<void> {
  const { screen } = demo
  const datasets = await timed('datasets', 'Four hospitals register their data; the rows stay where they are', () =>
    awaitDatasets(demo),
  )
  const heart = await timed('heart', 'A private job: one model from four hospitals, by masked sums', () =>
    heartStage(demo, datasets),
  )
  const language = await timed(
    'language',
    'A public job: five workers train a language model, one lies, one is killed',
    () => languageStage(demo),
  )
  const versions = { heart: heart.version, language: language.version }
  const calls = await timed('calls', 'Paid calls, with the OpenAI client and with own vouchers', () =>
    callsStage(demo, versions),
  )
  await timed('settle', 'Settlement, and everybody collects', () => settleStage(demo, calls))
  await timed('why', 'Why was this paid, and why was that not?', () => whyStage(demo, { language: language.job }))
  await timed('report', 'What the public job did, as a page with pictures', () => reportStage(demo, language.job))
  await timed('books', 'Who earned what', () => booksStage(demo))
  screen.line()
  screen.line('What to try next, with the network running:')
  screen.line(`  curl ${gatewayUrl(demo)}/v1/models`)
  screen.line(`  npx potluck call "ROMEO:" --key ${demo.layout.node('caller-app')}/api.key`)
  screen.line(`  npx potluck why ${participant(demo.plan, 'worker-1').node}`)
  screen.line(`  npx potluck status`)
  screen.line(`  curl ${ledgerUrl(demo)}/reconcile`)
}
