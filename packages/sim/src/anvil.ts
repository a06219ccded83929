/**
 * A chain that stands still between our calls: anvil, spoken to over its local socket, which is ten times quicker than HTTP.
 * Genesis time and order of transactions are fixed, so that equal calls give equal block hashes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PotluckError } from '@potluck/protocol'

export type Anvil = {
  rpcUrl: string
  /** The answer to one JSON-RPC call; throws what the endpoint says, with its `code`, `message` and `data`. */
  request(method: string, params?: unknown): Promise<unknown>
  stop(): Promise<void>
}

type Answer = { id: number; result?: unknown; error?: { code: number; message: string; data?: unknown } }

/** Seconds since 1970 of block 0; any fixed number will do. */
export const GENESIS_SECONDS = 1_900_000_000
const START_MS = 15_000

function binary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const fromChain = createRequire(import.meta.resolve('@potluck/chain'))
  const fromAnvil = createRequire(fromChain.resolve('@foundry-rs/anvil/package.json'))
  const packageFile = fromAnvil.resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/package.json`)
  return join(packageFile, '..', 'bin', 'anvil')
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    let printed = ''
    const fail = (why: string): void => {
      clearTimeout(timer)
      reject(new PotluckError('ANVIL_FAILED', `anvil did not start: ${why}. It printed: ${printed.slice(-500)}`))
    }
    const timer = setTimeout(() => fail('no answer in time'), START_MS)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (printed.length > 20_000) return
      printed += chunk.toString()
      const address = /Listening on (\S+)/.exec(printed)?.[1]
      if (!address) return
      clearTimeout(timer)
      resolve(`http://${address}`)
    })
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with code ${code}`))
  })
}

/** Speaks JSON-RPC over the socket, one line or one bare JSON value an answer. */
function speak(socket: Socket): Anvil['request'] {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
  let ids = 0
  let partial = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    partial += chunk
    const lines = partial.split('\n')
    partial = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.trim()) continue
      const { id, result, error } = JSON.parse(line) as Answer
      const caller = waiting.get(id)
      waiting.delete(id)
      if (error) caller?.reject(Object.assign(new Error(error.message), { code: error.code, data: error.data }))
      else caller?.resolve(result)
    }
  })
  socket.on('error', (error) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })
  return (method, params = []) =>
    new Promise((resolve, reject) => {
      const id = ++ids
      waiting.set(id, { resolve, reject })
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
}

/** Waits for the first answer. The socket is there a moment before anybody reads from it, and what comes in that moment is lost. */
async function firstAnswer(request: Anvil['request']): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const patience = Promise.withResolvers<false>()
    const timer = setTimeout(() => patience.resolve(false), 750)
    const answer = request('web3_clientVersion').then(() => true as const)
    const isThere = await Promise.race([answer, patience.promise])
    clearTimeout(timer)
    if (isThere) return
  }
  throw new PotluckError('ANVIL_FAILED', 'anvil listens but answers nothing on its socket')
}

/** Starts the chain; it mines each transaction at once until told otherwise, every block one second after the one before. */
export async function startAnvil(): Promise<Anvil> {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-sim-'))
  const path = join(dir, 'anvil.ipc')
  const flags = ['--host', '127.0.0.1', '--port', '0', '--ipc', path, '--order', 'fifo', '--threads', '1']
  const rules = ['--timestamp', String(GENESIS_SECONDS), '--gas-limit', '1000000000', '--block-base-fee-per-gas', '0']
  const child = spawn(binary(), [...flags, ...rules, '--disable-min-priority-fee'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const rpcUrl = await listeningUrl(child)
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect(path, () => resolve(opened))
    opened.once('error', reject)
  })
  const request = speak(socket)
  await firstAnswer(request)
  await request('anvil_setBlockTimestampInterval', [1])
  return {
    rpcUrl,
    request,
    async stop() {
      socket.destroy()
      child.kill('SIGTERM')
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
