/** The values of a log of JSON lines for which `isWanted` holds; lines that are none, or cut off by a crash, are left out. */
export function readLogLines<T>(text: string, isWanted: (value: unknown) => value is T): T[] {
  return text.split('\n').flatMap((line) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      if (error instanceof SyntaxError) return []
      throw error
    }
    return isWanted(value) ? [value] : []
  })
}
