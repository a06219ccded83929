/** The shape of the project, as the design draws it: who may import whom, what pure packages may touch, how files are named. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { filesUnder } from '../../scripts/filesUnder.ts'
import { importsOf } from '../../scripts/importsOf.ts'

const root = join(import.meta.dirname, '..', '..')
const core = ['protocol', 'engine', 'learning', 'chain', 'store', 'net']
const all = [...core, 'runtime', 'referee', 'node', 'ledger', 'gateway', 'sdk', 'cli', 'sim']

/** Package → the packages it may import; the arrows of docs/architecture.md. */
const arrows: Record<string, readonly string[]> = {
  protocol: [],
  engine: ['protocol'],
  learning: ['protocol', 'engine'],
  chain: ['protocol'],
  store: ['protocol'],
  net: ['protocol'],
  runtime: ['protocol', 'engine'],
  referee: core,
  node: [...core, 'runtime', 'referee'],
  ledger: core,
  gateway: core,
  sdk: ['protocol', 'engine', 'learning', 'chain', 'store'],
  cli: all,
  sim: all,
}
/** They give the same bits in a daemon, a browser tab and the simulator. */
const pure = ['protocol', 'engine', 'learning']

/** Files that earn their length: a path, and why it is one piece. */
const longFiles: Record<string, string> = {
  'contracts/contracts/Assets.sol':
    'one contract: the accounting of payments, pulls and withdrawals is read as a whole',
  'contracts/contracts/Channels.sol': 'one contract: opening, claiming and closing share their checks',
  'contracts/contracts/referee/TraceMoves.sol': 'the moves down one tree share their checks',
  'contracts/test/invariants/Jobs.t.sol': 'one handler with every action of a job, and the invariants over it',
  'contracts/test/support/exampleJob.ts': 'one program by hand with all that both sides say about it',
  'contracts/test/support/playDispute.ts': 'both sides of every move, so that a test says only where they differ',
  'packages/gateway/src/PaymentStore.ts': 'one state machine of a paid call, its SQL beside it',
  'packages/ledger/test/ledger.test.ts': 'one story over one database: start-up is the slow part',
  'packages/sim/src/setUpNetwork.ts': 'the plan of one network, in the order it is put up',
  'packages/store/src/http.test.ts': 'one suite over server and fetcher with the shared faulty server',
}
const MAX_LINES = 300

const packageNames = [
  ...new Set(filesUnder(join(root, 'packages')).map((path) => relative(join(root, 'packages'), path).split('/')[0])),
] as string[]

type Source = { path: string; home: string; text: string; isTest: boolean; lines: number }

const sources: Source[] = ['packages', 'contracts', 'bench', 'scripts', 'test']
  .flatMap((folder) => filesUnder(join(root, folder)))
  .filter((file) => /\.(ts|sol)$/.test(file) && !file.endsWith('.d.ts'))
  .map((file) => {
    const path = relative(root, file)
    const text = readFileSync(file, 'utf8')
    const [top, second] = path.split('/') as [string, string]
    const isTest = /\.test\.ts$|(^|\/)test\//.test(path)
    return { path, home: top === 'packages' ? second : top, text, isTest, lines: text.split('\n').length - 1 }
  })
const inPackages = sources.filter(({ path }) => path.startsWith('packages/') && path.endsWith('.ts'))

/** `@potluck/chain/x` → `chain`; undefined for anything else. */
const packageOf = (specifier: string): string | undefined => /^@potluck\/([^/]+)/.exec(specifier)?.[1]

function check(found: string[]): void {
  assert.deepEqual(found, [])
}

test('every package has its arrows drawn', () => {
  assert.deepEqual(
    packageNames.filter((name) => !(name in arrows)),
    [],
  )
  assert.ok(inPackages.length > 100, `only ${inPackages.length} source files found`)
})

test('packages import along the drawn arrows only', () => {
  check(
    inPackages.flatMap(({ path, home, text }) =>
      importsOf(text)
        .map(packageOf)
        .filter((target) => target !== undefined && target !== home && !arrows[home]?.includes(target))
        .map((target) => `${path}: ${home} → ${target}`),
    ),
  )
})

test('no package reaches into the files of another', () => {
  check(
    inPackages.flatMap(({ path, home, text }) =>
      importsOf(text)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => relative(root, join(root, path, '..', specifier)))
        .filter((target) => !target.startsWith(`packages/${home}/`))
        .map((target) => `${path} → ${target}`),
    ),
  )
})

test('packages import at run time what their package.json declares', () => {
  const declared = new Map(
    packageNames.map((name) => {
      const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
        dependencies?: object
        devDependencies?: object
      }
      return [name, Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })]
    }),
  )
  check(
    inPackages
      .filter(({ isTest }) => !isTest)
      .flatMap(({ path, home, text }) =>
        importsOf(text.replaceAll(/^(import|export) type [^;]*? from '[^']+'/gm, ''))
          .filter((specifier) => /^[@a-z]/.test(specifier) && !specifier.startsWith('node:'))
          .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] as string)
          .filter((name) => name !== `@potluck/${home}` && !declared.get(home)?.includes(name))
          .map((name) => `${path}: ${name}`),
      ),
  )
})

test('pure packages import nothing of the machine', () => {
  check(
    inPackages
      .filter(({ home, isTest }) => pure.includes(home) && !isTest)
      .flatMap(({ path, text }) =>
        importsOf(text)
          .filter((specifier) => specifier.startsWith('node:') || builtinModules.includes(specifier))
          .map((specifier) => `${path}: ${specifier}`),
      ),
  )
})

test('pure packages ask no clock, no machine and no locale', () => {
  const banned =
    /\b(Date\.now|new Date\(|performance\.|process\.|setTimeout|setInterval|fetch\(|Math\.random|toLocale\w+|Intl\.|localeCompare)/
  check(
    inPackages
      .filter(({ home, isTest }) => pure.includes(home) && !isTest)
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .map((line, i) => ({ line, at: i + 1 }))
          .filter(({ line }) => !/^\s*(\/\/|\*|\/\*)/.test(line) && banned.test(line))
          .map(({ line, at }) => `${path}:${at} ${line.trim()}`),
      ),
  )
})

test('only a main.ts reads the environment', () => {
  // `...process.env` hands it on to a child unread.
  const reads = /(?<!\.\.\.)\bprocess\.env\b/
  // The simulator is a test: SEED and SEEDS choose what it runs. The demo hands its own log level on to the nodes it starts.
  const allowed = ['packages/sim/src/soundSeeds.ts']
  check(
    inPackages
      .filter(
        ({ path, isTest, text }) =>
          !isTest && !path.endsWith('/main.ts') && !allowed.includes(path) && reads.test(text),
      )
      .map(({ path }) => path),
  )
})

test('names say what is inside', () => {
  const banned = /^(utils?|types?|helpers?|common|misc|shared)(\.test)?(\.ts)?$/
  const names = new Set(
    inPackages.flatMap(({ path }) => {
      const parts = path.split('/')
      return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
    }),
  )
  check([...names].filter((path) => banned.test(path.split('/').at(-1) as string)))
})

test(`files have at most ${MAX_LINES} lines, or a reason`, () => {
  const long = sources.filter(({ lines }) => lines > MAX_LINES).map(({ path, lines }) => ({ path, lines }))
  check(long.filter(({ path }) => !(path in longFiles)).map(({ path, lines }) => `${path}: ${lines} lines`))
  const present = new Set(sources.map(({ path }) => path))
  check(Object.keys(longFiles).filter((path) => !present.has(path)))
})

test('an index.ts only exports what others made', () => {
  check(
    inPackages
      .filter(({ path }) => path.endsWith('/index.ts'))
      .flatMap(({ path, text }) =>
        text
          .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
          .replaceAll(/export (type )?(\*( as \w+)?|\{[^}]*\}) from '[^']+';?/g, '')
          .replaceAll(/export \{\};?/g, '')
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line) => `${path}: ${line.trim()}`),
      ),
  )
})
