import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'scenarios')

/** Names of the scenarios that come with the package. */
export const builtInScenarios = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()

/** The file of one of them. */
export const builtInScenarioFile = (name: string): string => join(folder, `${name}.yaml`)
