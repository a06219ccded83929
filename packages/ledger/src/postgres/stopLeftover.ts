import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PotluckError } from '@potluck/protocol'

const run = promisify(execFile)

/**
 * Ends a server that an earlier parent left behind on this data folder, and clears a lock file that nobody holds any more.
 *
 * Only a process that is a Postgres on exactly this folder is ended; a process number that has since gone to another program
 * is left alone. Throws POSTGRES_BUSY when the old server does not go.
 */
export async function stopLeftover(dataDir: string, log: (line: string) => void): Promise<void> {
  const lockFile = join(dataDir, 'postmaster.pid')
  const text = await readFile(lockFile, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const pid = Number.parseInt(text, 10)
  if (!(pid > 1) || !(await isPostgresOn(pid, dataDir))) {
    log(`clearing a stale lock of process ${pid}`)
    await rm(lockFile, { force: true })
    return
  }
  log(`stopping the server of an earlier run, process ${pid}`)
  // SIGINT ends sessions and shuts down cleanly; SIGQUIT at once, with recovery at the next start.
  for (const [signal, seconds] of [['SIGINT', 10] as const, ['SIGQUIT', 5] as const]) {
    if (!send(pid, signal)) return
    for (let i = 0; i < seconds * 20; i++) {
      if (!send(pid, 0)) return
      await wait(50)
    }
  }
  throw new PotluckError(
    'POSTGRES_BUSY',
    `another Postgres, process ${pid}, holds ${dataDir} and does not stop; end it and start again`,
    { pid },
    { remedy: 'fix-setup' },
  )
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    // No such process; without permission it exists, but then it is not ours.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isPostgresOn(pid: number, dataDir: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() =>
    run('ps', ['-p', String(pid), '-o', 'command=']).then(
      ({ stdout }) => stdout,
      () => '',
    ),
  )
  return command.includes('postgres') && command.includes(dataDir)
}
