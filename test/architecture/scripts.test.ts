/** The project's own tools: a checker that finds nothing is worse than none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTests } from '../../scripts/countTests.ts'
import { findRules } from '../../scripts/findRules.ts'
import { importsOf } from '../../scripts/importsOf.ts'

// Written in two halves, so that this file itself cites no rule.
const rule = (letter: string, number: string): string => `${letter}-${number}`

test('counts tests of node (spec, TAP) and of Hardhat, summed over several runs', () => {
  const spec = '✔ a (1ms)\n✖ tells b from c (2.5ms)\nℹ tests 3\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\n✖ failing tests:\n'
  assert.deepEqual(countTests(spec), { passed: 2, failed: 1, failures: ['tells b from c'] })
  assert.deepEqual(countTests('# pass 4\n# fail 0\n# pass 1\n'), { passed: 5, failed: 0, failures: [] })
  assert.deepEqual(countTests('\u001b[32m  12 passing\u001b[0m (3s)\n  1 failing\n'), {
    passed: 12,
    failed: 1,
    failures: [],
  })
  assert.deepEqual(countTests('all well'), { passed: 0, failed: 0, failures: [] })
})

test('counts a cancelled test as failed', () => {
  assert.equal(countTests('ℹ pass 1\nℹ fail 0\nℹ cancelled 2\n').failed, 2)
})

test('finds rules without a test, rules defined twice, and ids defined nowhere', () => {
  const [first, second, third, fourth] = ['01', '02', '03', '04'].map((number) => rule('P', number))
  const found = findRules([
    { path: 'spec/a.md', text: `- **${first}** one\n- **${second}**: two, see ${third}\n| \`${third}\` | three |\n` },
    { path: 'spec/b.md', text: `- **${second}** again\n` },
    { path: 'packages/x/src/a.ts', text: `// ${first}, ${fourth}, SHA-256, ERC-20` },
    { path: 'packages/x/src/a.test.ts', text: `test('refuses [${first}, ${second}]')\n// [no] ${third}` },
  ])
  assert.equal(found.defined, 3)
  assert.deepEqual(found.twice, [{ id: second, paths: ['spec/a.md', 'spec/b.md'] }])
  assert.deepEqual(found.untested, [{ id: third, path: 'spec/a.md' }])
  assert.deepEqual(found.unknown, [{ id: fourth, paths: ['packages/x/src/a.ts'] }])
})

test('takes no citation outside a test for a test', () => {
  const id = rule('E', '42')
  const files = [
    { path: 'spec/engine.md', text: `- **${id}** x` },
    { path: 'packages/x/src/a.ts', text: `throw new Error('[${id}]')` },
  ]
  assert.deepEqual(findRules(files).untested, [{ id, path: 'spec/engine.md' }])
})

test('sees every form of import and none in comments', () => {
  const source = [
    "import a from 'one'",
    "import { b, type C } from '@potluck/two'",
    "import type { D } from './three.ts'",
    "import 'node:four'",
    "export * from '../five.ts'",
    'import {\n  e,\n  f,\n} from "six"',
    "const g = await import('seven')",
    "// import h from 'eight'",
    "/* import i from 'nine' */",
    "const text = 'important'",
  ].join('\n')
  assert.deepEqual(importsOf(source), ['one', '@potluck/two', './three.ts', 'node:four', '../five.ts', 'six', 'seven'])
})
