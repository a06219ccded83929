import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export type NumpyAggregation = { readonly version: string; readonly matrixMs: number; readonly rowMs: number }

/** What NumPy takes for the same rule, or why it could not be asked. */
export function numpyAggregation(
  count: number,
  P: number,
  rounds: number,
): NumpyAggregation | { readonly absent: string } {
  const script = join(import.meta.dirname, 'aggregate_numpy.py')
  let absent = 'no Python with NumPy: "apt install python3-numpy" (Debian, Ubuntu) brings it'
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, stdout, stderr } = spawnSync(python, [script, ...[count, P, rounds].map(String)], {
      encoding: 'utf8',
    })
    const line = stdout?.trim().split('\n').at(-1)
    if (status === 0 && line) return JSON.parse(line) as NumpyAggregation
    if (stderr && !/No module named '?numpy/.test(stderr)) absent = stderr.slice(-300)
  }
  return { absent }
}
