export type TestCount = { passed: number; failed: number; failures: string[] }

const total = (output: string, pattern: RegExp): number =>
  [...output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)

/**
 * How many tests a runner's output reports, from the summaries of `node --test` (spec and TAP) and of Hardhat; several
 * summaries add up. `failures` are the titles of failed tests, each once, in order.
 */
export function countTests(coloured: string): TestCount {
  const esc = String.fromCharCode(27)
  const output = coloured.replaceAll(new RegExp(`${esc}\\[[0-9;]*m`, 'g'), '')
  const passed = total(output, /^[ℹ#] pass (\d+)$/gm) + total(output, /^\s*(\d+) passing\b/gm)
  const failed = total(output, /^[ℹ#] (?:fail|cancelled) (\d+)$/gm) + total(output, /^\s*(\d+) failing\b/gm)
  const titles = [...output.matchAll(/^\s*(?:✖ (.+?)(?: \([\d.]+ms\))?|not ok \d+ - (.+))$/gm)]
    .map(([, spec, tap]) => (spec ?? tap ?? '').trim())
    .filter((title) => title !== 'failing tests:' && title !== '')
  return { passed, failed, failures: failed > 0 ? [...new Set(titles)] : [] }
}
