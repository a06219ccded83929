/** How many rows of each class each client has: [clients][classes]. */
export const classCounts = (labels: Int32Array, byClient: readonly Uint32Array[], classes: number): number[][] =>
  byClient.map((rows) => {
    const counts = new Array<number>(classes).fill(0)
    for (const row of rows) counts[labels[row]!]! += 1
    return counts
  })
