import { setTimeout as sleep } from 'node:timers/promises'
import { createNet, type MessageVerdict, type Net, type NetOptions } from './index.ts'

/** For tests: a node on loopback that keeps what it hears. */
export interface TestNode extends Net {
  heard: { text: string; from: string }[]
}

/** The key of test node `i`. */
export function testKey(i: number): Uint8Array {
  const key = new Uint8Array(32).fill(1)
  new DataView(key.buffer).setUint32(28, i)
  return key
}

/** A node that judges every message with `verdict`. */
export async function testNode(
  i: number,
  options: Partial<NetOptions> & { verdict?: (text: string) => MessageVerdict } = {},
): Promise<TestNode> {
  const { verdict, ...rest } = options
  const net = await createNet({ privateKey: testKey(i), topic: 'potluck/test', random: seeded(i + 1), ...rest })
  const heard: TestNode['heard'] = []
  net.onMessage((bytes, from) => {
    const text = new TextDecoder().decode(bytes)
    heard.push({ text, from: from.peerId })
    return verdict?.(text) ?? 'accept'
  })
  return { ...net, heard }
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Waits until `holds` is true; fails with `what` after `limitMs`. */
export async function until(what: string, holds: () => boolean, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(20)
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
