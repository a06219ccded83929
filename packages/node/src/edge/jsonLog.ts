import type { Log, LogLevel } from '../Ports.ts'

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2 }
/** Values under these names never reach a log, whatever is passed. */
const SECRET = /secret|password|authorization|apikey|private/i

/** One JSON object a line, on the stream given. Facts whose name speaks of a secret are left out. */
export function jsonLog(write: (line: string) => void, least: LogLevel): Log {
  return (level, event, facts = {}) => {
    if (ranks[level] < ranks[least]) return
    const shown = Object.entries(facts).filter(([name]) => !SECRET.test(name))
    const line = { at: new Date().toISOString(), level, event, ...Object.fromEntries(shown) }
    write(JSON.stringify(line, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
  }
}
