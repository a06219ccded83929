/** Where a value computed here differs from the one everybody has. */
export type Difference = { readonly path: string; readonly expected: string; readonly seen: string }

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 80)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/**
 * All leaves of two JSON values that are not the same, by path: `operators.rmsNorm`, `training.stateRoots[2]`. What only one of them has
 * differs too.
 */
export function compareVectors(expected: unknown, seen: unknown, path = ''): Difference[] {
  if (!isObject(expected) || !isObject(seen)) {
    return Object.is(expected, seen) ? [] : [{ path, expected: shown(expected), seen: shown(seen) }]
  }
  const isList = Array.isArray(expected)
  return [...new Set([...Object.keys(expected), ...Object.keys(seen)])].flatMap((key) => {
    const below = isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    return compareVectors(expected[key], seen[key], below)
  })
}
