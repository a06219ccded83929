import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Disk } from '../Ports.ts'

/** A node's own small state in one SQLite file: every `set` is on the disk when it returns. */
export function sqliteDisk(file: string): Disk & { close(): void } {
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  db.exec('CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID')
  const get = db.prepare('SELECT value FROM state WHERE key = ?')
  const set = db.prepare('INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  const remove = db.prepare('DELETE FROM state WHERE key = ?')
  // Keys are ASCII: everything that starts with the prefix lies below prefix + the last character.
  const range = db.prepare('SELECT key FROM state WHERE key >= ? AND key < ? ORDER BY key')
  return {
    get: (key) => get.get(key)?.value as string | undefined,
    set: (key, value) => void set.run(key, value),
    delete: (key) => void remove.run(key),
    keys: (prefix) => range.all(prefix, `${prefix}\u{10ffff}`).map((row) => row.key as string),
    close: () => db.close(),
  }
}
