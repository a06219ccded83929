export type SourceFile = { path: string; text: string }
export type RuleFindings = {
  defined: number
  twice: { id: string; paths: string[] }[]
  untested: { id: string; path: string }[]
  unknown: { id: string; paths: string[] }[]
}

/** P network and protocol, E engine, C contracts, D disputes, L learning, G gateway, R ledger, S simulator. */
const ID = '[PECDLGRS]-\\d{2,3}'
/** A line that opens with the id in bold, in code, as a heading, or as the first cell of a table. */
const definition = new RegExp(`^\\s*(?:[-*]\\s+|\\|\\s*|#+\\s+)?(?:\\*\\*|\`)?(${ID})\\b(?:\\*\\*|\`|:|\\s*\\|)`, 'gm')
const citation = new RegExp(`(?<![\\w-])${ID}(?![\\w-])`, 'g')
/** `[P-01]`, `[P-01, P-02]`, `[P-01 P-02]`. */
const titleCitation = new RegExp(`\\[(${ID}(?:[,\\s]+${ID})*)\\]`, 'g')

const isTest = (path: string): boolean => /\.test\.ts$|\.t\.sol$|(^|\/)test\/.*\.ts$/.test(path)
const idsIn = (text: string): string[] => text.match(citation) ?? []

/** What does not hold together between the rules of spec/, the code that cites them and the tests that try to break them. */
export function findRules(files: readonly SourceFile[]): RuleFindings {
  const homes = new Map<string, string[]>()
  const cited = new Map<string, Set<string>>()
  const tested = new Set<string>()
  for (const { path, text } of files) {
    if (/^spec\/[^/]+\.md$/.test(path)) {
      for (const [, id] of text.matchAll(definition))
        homes.set(id as string, [...(homes.get(id as string) ?? []), path])
    }
    for (const id of idsIn(text)) cited.set(id, (cited.get(id) ?? new Set()).add(path))
    if (!isTest(path)) continue
    for (const [, ids] of text.matchAll(titleCitation)) for (const id of idsIn(ids as string)) tested.add(id)
  }
  const byId = <T extends { id: string }>(list: T[]): T[] => list.sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    defined: homes.size,
    twice: byId([...homes].filter(([, paths]) => paths.length > 1).map(([id, paths]) => ({ id, paths }))),
    untested: byId(
      [...homes].filter(([id]) => !tested.has(id)).map(([id, paths]) => ({ id, path: paths[0] as string })),
    ),
    unknown: byId([...cited].filter(([id]) => !homes.has(id)).map(([id, paths]) => ({ id, paths: [...paths] }))),
  }
}
