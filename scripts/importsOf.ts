/** The module specifiers a TypeScript source imports or re-exports, dynamic imports of a literal included, in order. */
export function importsOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const pattern =
    /(?:^|[;}\s])(?:import|export)\s(?:[^'";()]*?\sfrom\s)?\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g
  return [...code.matchAll(pattern)].map(([, fixed, dynamic]) => (fixed ?? dynamic) as string)
}
