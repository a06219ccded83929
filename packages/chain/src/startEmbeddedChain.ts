/**
 * A chain of one's own: anvil from npm, mining at intervals, with its state in a folder so that the next start goes on from there.
 *
 * It stands in for a public chain: one process, no consensus, and what it mined since the last save is lost when it is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Hex, PotluckError } from '@potluck/protocol'
import { wait } from './wait.ts'

export type EmbeddedChainOptions = {
  /** Folder for the chain's state; made when missing. */
  dir: string
  /** 0, the default, takes any free port. */
  port?: number
  chainId?: number
  blockSeconds?: number
  /** How often the state is saved. A stop saves as well. */
  saveSeconds?: number
}

export type EmbeddedChain = {
  rpcUrl: string
  pid: number
  /** Resolves with the exit code once the process has ended, for whatever reason. */
  exited: Promise<number | null>
  /** Saves the state and ends the process. */
  stop: () => Promise<void>
}

export const EMBEDDED_CHAIN_ID = 31_337
const START_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 15_000

/**
 * Starts the chain and returns when it answers; about 0.1 s.
 * Throws PORT_TAKEN, ANVIL_MISSING (not installed for this platform) or ANVIL_FAILED with what it printed.
 */
export async function startEmbeddedChain(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
  const { dir, port = 0, chainId = EMBEDDED_CHAIN_ID, blockSeconds = 0.25, saveSeconds = 10 } = options
  if (port !== 0) await refuseTakenPort(port)
  mkdirSync(dir, { recursive: true })
  const state = join(dir, 'chain.json')
  keepWholeState(state)
  // Old states would take some 130 KB a block, 2 GB an hour; blocks and logs are kept all the same. With no state kept at all, a read that
  // meets a new block fails.
  const limits = ['--gas-limit', '1000000000', '--prune-history', '64', '--threads', '2']
  const saving = ['--state', state, '--state-interval', String(saveSeconds)]
  const flags = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)]
  const child = spawn(anvilBinary(), [...flags, '--block-time', String(blockSeconds), ...limits, ...saving], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(null))
  })
  const rpcUrl = await listeningUrl(child)
  return { rpcUrl, pid: child.pid as number, exited, stop: () => stop(child, exited) }
}

/** Sets what an account has for gas. The embedded chain's own privilege: no transaction, no cost. */
export async function setEmbeddedBalance(rpcUrl: string, address: Hex, wei: bigint): Promise<void> {
  const body = { jsonrpc: '2.0', id: 1, method: 'anvil_setBalance', params: [address, `0x${wei.toString(16)}`] }
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(rpcUrl, { method: 'POST', headers, body: JSON.stringify(body) })
  const answer = (await response.json()) as { error?: { message: string } }
  if (!answer.error) return
  throw new PotluckError('NOT_EMBEDDED', `${rpcUrl} is not an embedded chain: ${answer.error.message}`, { rpcUrl })
}

function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`
  // The platform package is an optional dependency of anvil's own, so it is looked up from there.
  const fromAnvil = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'))
  try {
    const folder = join(fromAnvil.resolve(`${name}/package.json`), '..')
    return join(folder, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
  } catch (cause) {
    const message = `no anvil for ${process.platform} ${process.arch} (${name}): install with optional dependencies, or use another chain`
    throw new PotluckError('ANVIL_MISSING', message, { name }, { cause, remedy: 'fix-setup' })
  }
}

/** A kill in the middle of a save leaves half a file: the copy from the last good start then takes its place. */
function keepWholeState(state: string): void {
  const backup = `${state}.last`
  if (existsSync(state)) {
    if (isJson(state)) copyFileSync(state, backup)
    else if (existsSync(backup)) copyFileSync(backup, state)
    else rmSync(state)
  }
}

function isJson(file: string): boolean {
  try {
    JSON.parse(readFileSync(file, 'utf8'))
    return true
  } catch {
    // Half a file: the answer this function is asked for.
    return false
  }
}

async function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `port ${port} is taken (${cause.code}): stop what holds it or choose another`
      reject(new PotluckError('PORT_TAKEN', message, { port }, { cause, remedy: 'fix-setup' }))
    })
    probe.listen(port, '127.0.0.1', resolve)
  })
  await new Promise((resolve) => probe.close(resolve))
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  let printed = ''
  return await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => fail('it did not answer in time'), START_TIMEOUT_MS)
    const fail = (why: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      const message = `anvil did not start: ${why}. It printed: ${printed.trim().slice(-500) || 'nothing'}`
      reject(new PotluckError('ANVIL_FAILED', message, {}, { remedy: 'fix-setup' }))
    }
    const hear = (chunk: Buffer) => {
      // It goes on printing a line per block: read on, or the pipe fills up and it stops, but keep only the start.
      if (printed.length > 20_000) return
      printed += chunk.toString()
      const address = /Listening on (\S+)/.exec(printed)?.[1]
      if (!address) return
      clearTimeout(timer)
      resolve(`http://${address}`)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with code ${code}`))
  })
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timeout = new AbortController()
  const late = wait(STOP_TIMEOUT_MS, timeout.signal).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  )
  await Promise.race([exited, late])
  timeout.abort()
  await exited
}
