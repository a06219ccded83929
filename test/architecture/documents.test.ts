/** What the documents say about the tree holds: links lead somewhere, every package says what it is. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { filesUnder } from '../../scripts/filesUnder.ts'

const root = join(import.meta.dirname, '..', '..')
const documents = [
  join(root, 'README.md'),
  ...['docs', 'spec', 'packages', 'contracts', 'bench', 'data'].flatMap((folder) => filesUnder(join(root, folder))),
].filter((path) => path.endsWith('.md'))

test('every relative link leads to a file, and every anchor to a heading', () => {
  const broken = documents.flatMap((path) => {
    const text = readFileSync(path, 'utf8')
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link as string)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : join(dirname(path), file)
        if (!existsSync(target)) return true
        if (anchor === undefined) return false
        const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
          (heading as string)
            .toLowerCase()
            .replaceAll(/[^\w\s-]/g, '')
            .trim()
            .replaceAll(/\s/g, '-'),
        )
        return !headings.includes(anchor)
      })
      .map((link) => `${relative(root, path)}: ${link}`)
  })
  assert.deepEqual(broken, [])
})

test('every package has a README with a heading', () => {
  const bare = readdirSync(join(root, 'packages')).filter((name) => {
    const file = join(root, 'packages', name, 'README.md')
    return !existsSync(file) || !readFileSync(file, 'utf8').startsWith('# ')
  })
  assert.deepEqual(bare, [])
})

test('the licence is whole, and both data sets are named in the notice', () => {
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8')
  for (const words of ['Apache License', 'END OF TERMS AND CONDITIONS', 'Copyright 2026 The Potluck authors']) {
    assert.ok(licence.includes(words), words)
  }
  const notice = readFileSync(join(root, 'NOTICE'), 'utf8')
  for (const folder of readdirSync(join(root, 'data'))) assert.ok(notice.includes(`data/${folder}`), folder)
})
