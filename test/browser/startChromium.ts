import packaged from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A headless Chromium with a fresh profile: the one from npm, or the system's where that cannot start. */
export async function startChromium(): Promise<Browser> {
  const start = (executablePath: string): Promise<Browser> =>
    chromium.launch({ executablePath, args: flags, headless: true, timeout: 30_000 })
  try {
    return await start(await packaged.executablePath())
  } catch (first) {
    return start('/usr/bin/chromium').catch((second) => {
      throw new AggregateError([first, second], 'no Chromium starts here')
    })
  }
}
