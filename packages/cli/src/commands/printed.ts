import { codeOf, PotluckError } from '@potluck/protocol'
import { withAdvice } from './withAdvice.ts'

/** What a command found: one value for programs, lines for people. `failed` sets the exit code without being an error. */
export type Printed = { value: unknown; lines: readonly string[]; failed?: boolean }

export type Output = { stdout(text: string): void; stderr(text: string): void }

const onProcess: Output = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
}

/** One line of JSON; amounts as decimal digits. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))}\n`

/** An error as standard error shows it: `CODE: message`, or one JSON value. */
export function errorText(thrown: unknown, json: boolean): string {
  const error = thrown instanceof PotluckError ? withAdvice(thrown) : thrown
  const code = codeOf(error) ?? 'INTERNAL'
  const message = error instanceof Error ? error.message : String(error)
  if (json) return jsonLine({ error: { code, message, facts: error instanceof PotluckError ? error.facts : {} } })
  // Without a code of ours it is a fault of ours: the stack helps whoever reports it.
  const stack = error instanceof PotluckError || !(error instanceof Error) ? '' : `${error.stack}\n`
  return `${code}: ${message}\n${stack}`
}

/**
 * Runs one command: what it returns goes to standard output, as lines or with `--json` as one JSON value; what it throws to standard error.
 *
 * @returns the exit code, which is also set
 */
export async function printed(
  options: { json?: boolean | undefined },
  work: () => Promise<Printed> | Printed,
  output: Output = onProcess,
): Promise<0 | 1> {
  const json = options.json === true
  let code: 0 | 1 = 0
  try {
    const { value, lines, failed } = await work()
    output.stdout(json ? jsonLine(value) : lines.map((line) => `${line}\n`).join(''))
    if (failed) code = 1
  } catch (error) {
    output.stderr(errorText(error, json))
    code = 1
  }
  if (code === 1 && output === onProcess) process.exitCode = 1
  return code
}
