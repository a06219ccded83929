import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bundle } from './bundle.ts'
import { serveFolder } from './serveFolder.ts'
import { startChromium } from './startChromium.ts'

const golden: unknown = JSON.parse(
  await readFile(join(import.meta.dirname, '..', '..', 'spec', 'vectors', 'engine.json'), 'utf8'),
)
const folder = await mkdtemp(join(tmpdir(), 'potluck-browser-'))
await bundle(['vectorsInTab.ts', 'threadInTab.ts'], folder, 'browser')
const browser = await startChromium()
after(async () => {
  await browser.close()
  await rm(folder, { recursive: true })
})

for (const { threads, isolated } of [
  { threads: 2, isolated: true },
  { threads: 1, isolated: false },
]) {
  const where = isolated ? 'a cross-origin isolated tab' : 'a tab without isolation'
  test(`${where} reproduces every committed vector with ${threads} thread(s) [E-02] [E-03]`, async (t) => {
    const server = await serveFolder(folder, isolated)
    t.after(() => server.close())
    const page = await browser.newPage()
    t.after(() => page.close())
    await page.goto(server.url)
    await page.addScriptTag({ url: '/vectorsInTab.js', type: 'module' })
    await page.waitForFunction('typeof computeVectors === "function"')
    const seen: unknown = await page.evaluate(`computeVectors(${threads})`)
    assert.deepEqual(seen, { isolated, vectors: golden })
  })
}
