/**
 * A Postgres server of our own, on loopback, for those who bring none.
 *
 * The server is a child process and outlives nothing on purpose: whoever calls this watches `exited` and calls again. The data
 * stays in the folder; a server killed at any point recovers at the next start.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PotluckError } from '@potluck/protocol'
import { type Identity, postgresBinaries, postgresIdentity, reachableFolder } from './postgresBinaries.ts'
import { stopLeftover } from './stopLeftover.ts'

const run = promisify(execFile)
const USER = 'potluck'
const KEPT_PORT_TRIES = 12
const READY = 'database system is ready to accept connections'

export type PostgresOptions = {
  /** Holds the data, the password and the port; kept between runs. */
  dir: string
  /** Default: the port of the last run, else any free one. */
  port?: number
  log?: (line: string) => void
}

export type RunningPostgres = {
  /** For `pg` and `createLedger`. */
  url: string
  port: number
  pid: number
  /** Where the data really lies: `dir`, or elsewhere when the server's user cannot walk there. */
  dir: string
  /** Resolves when the server is gone, whoever ended it. */
  exited: Promise<void>
  /** Clean shutdown; takes well under a second. */
  stop(): Promise<void>
}

/**
 * Starts the server on `dir`, creating the database at the first start (about 4 s, later under a second).
 * Runs as root too (then as the user `postgres`). Throws PORT_TAKEN, POSTGRES_USER, POSTGRES_MISSING, POSTGRES_BUSY, POSTGRES_FAILED.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const log = options.log ?? (() => undefined)
  const identity = await postgresIdentity()
  const binaries = await postgresBinaries(identity)
  const dir = await reachableFolder(resolve(options.dir), identity)
  if (identity) await chown(dir, identity.uid, identity.gid)
  const dataDir = join(dir, 'data')
  const password = await keptText(join(dir, 'password'), () => randomBytes(24).toString('hex'))
  await initialise(binaries.initdb, dir, dataDir, identity)
  await stopLeftover(dataDir, log)
  const port = await choosePort(dir, options.port)
  const child = await launch(binaries.postgres, dataDir, port, identity, log)
  const exited = new Promise<void>((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once('exit', () => done())
  })
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid as number,
    dir,
    exited,
    async stop() {
      child.kill('SIGINT')
      await exited
    },
  }
}

/** Runs initdb unless that was done; a first start cut short begins again. */
async function initialise(initdb: string, dir: string, dataDir: string, identity: Identity | undefined): Promise<void> {
  const done = join(dir, 'initialised')
  if (await stat(done).catch(() => undefined)) return
  await rm(dataDir, { recursive: true, force: true })
  const passwordFile = join(dir, 'password')
  if (identity) await chown(passwordFile, identity.uid, identity.gid)
  try {
    // The C locale: one order of text on every machine.
    const flags = [
      '--auth=scram-sha-256',
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--no-locale',
    ]
    await run(initdb, [`--pgdata=${dataDir}`, ...flags], { ...identity, cwd: dir })
  } catch (cause) {
    throw new PotluckError(
      'POSTGRES_FAILED',
      `initdb did not finish: ${(cause as Error).message}`,
      {},
      { cause, remedy: 'fix-setup' },
    )
  }
  await writeFile(done, '')
}

async function keptText(path: string, make: () => string): Promise<string> {
  const kept = await readFile(path, 'utf8').catch(() => undefined)
  if (kept) return kept.trim()
  const text = make()
  await writeFile(path, `${text}\n`, { mode: 0o600 })
  return text
}

async function choosePort(dir: string, wanted: number | undefined): Promise<number> {
  const file = join(dir, 'port')
  const kept = Number(await readFile(file, 'utf8').catch(() => '0'))
  // Who connects keeps the address over a restart, so the last port is waited for a little before another is taken.
  const tries = wanted === undefined ? [...Array<number>(kept === 0 ? 0 : KEPT_PORT_TRIES).fill(kept), 0] : [wanted]
  for (const [i, port] of tries.entries()) {
    const free = await freePort(port)
    if (free !== undefined) {
      await writeFile(file, String(free))
      return free
    }
    if (i < tries.length - 1) await wait(250)
  }
  throw new PotluckError(
    'PORT_TAKEN',
    `port ${wanted} is taken; choose another for Postgres`,
    { port: wanted ?? 0 },
    { remedy: 'fix-setup' },
  )
}

function freePort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}

/** A killed server's helpers may hold its shared memory for a moment: then it is tried again, for up to 10 s. */
async function launch(
  postgres: string,
  dataDir: string,
  port: number,
  identity: Identity | undefined,
  log: (line: string) => void,
): Promise<ChildProcess> {
  let last = ''
  for (let attempt = 0; attempt < 40; attempt++) {
    const started = await launchOnce(postgres, dataDir, port, identity, log)
    if (typeof started !== 'string') return started
    last = started
    if (!/shared memory block|is another postmaster|Address already in use/.test(last)) break
    await wait(250)
  }
  throw new PotluckError(
    'POSTGRES_FAILED',
    `Postgres ended at start: ${last.slice(-500)}`,
    { port },
    { remedy: 'fix-setup' },
  )
}

function launchOnce(
  postgres: string,
  dataDir: string,
  port: number,
  identity: Identity | undefined,
  log: (line: string) => void,
): Promise<ChildProcess | string> {
  // Small: the ledger of one network. No Unix socket, whose folder may not be writable. fsync stays on.
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '30',
    shared_buffers: '32MB',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const env = { ...process.env, LC_MESSAGES: 'C' }
  const child = spawn(postgres, ['-D', dataDir, '-p', String(port), ...flags], {
    ...identity,
    env,
    cwd: dataDir,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return new Promise((done) => {
    let text = ''
    child.once('error', (error) => done(error.message))
    child.once('exit', (code) => done(text || `exit code ${code}`))
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = chunk.toString()
      text = (text + lines).slice(-4_000)
      for (const line of lines.split('\n')) if (line) log(line)
      if (text.includes(READY)) done(child)
    })
  })
}
