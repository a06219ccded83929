import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a module of this folder as a program and returns the JSON of its last line. Its memory and warm-up are its own. */
export const inChild = async <T>(file: string, ...args: readonly (string | number)[]): Promise<T> =>
  (await linesInChild<T>(file, ...args)).at(-1) as T

/** The same for a program that prints several lines. */
export async function linesInChild<T>(file: string, ...args: readonly (string | number)[]): Promise<T[]> {
  const { stdout } = await execute(process.execPath, [join(import.meta.dirname, file), ...args.map(String)], {
    maxBuffer: 2 ** 26,
  })
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T)
}
