import { existsSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'rivals')

/** How to get what is missing. */
export const howToInstall = 'run "node bench/rivals/install.ts" (about 400 MB from the package registry)'

/** Whether a package of bench/rivals is installed. */
export const isInstalled = (name: string): boolean => existsSync(join(folder, 'node_modules', name, 'package.json'))

/** Imports a module of bench/rivals; its packages are not known to the type checker, so the caller names what it uses. */
export async function importRival<T>(file: string, name: string): Promise<T> {
  if (!isInstalled(name)) throw new Error(`${name} is not installed: ${howToInstall}`)
  return (await import(join(folder, file))) as T
}
