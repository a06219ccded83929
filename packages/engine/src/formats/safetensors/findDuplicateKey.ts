/** The first key that stands twice in one object of a JSON text known to be valid, or undefined. `JSON.parse` keeps the last one silently. */
export function findDuplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []
  for (let i = 0; i < json.length; i++) {
    const character = json[i]
    // A list gets a set too: it holds no keys, and the brackets stay paired.
    if (character === '{' || character === '[') open.push(new Set())
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const start = i
      do i += json[i] === '\\' ? 2 : 1
      while (json[i] !== '"')
      let next = i + 1
      while (' \t\n\r'.includes(json[next] ?? 'x')) next++
      if (json[next] !== ':') continue
      const key = JSON.parse(json.slice(start, i + 1)) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
