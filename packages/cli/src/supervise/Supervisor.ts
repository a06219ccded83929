import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProcessSpec = { name: string; args: readonly string[]; logFile: string; env?: Record<string, string> }

type Watched = {
  spec: ProcessSpec
  child?: ChildProcess
  startedMs: number
  failures: number
  downUntilMs: number
  restarts: number
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000
/** A process that ran this long was healthy: its next failure counts as the first. */
const HEALTHY_MS = 30_000
const STOP_MS = 8_000

/**
 * Keeps processes alive: whatever dies is started again, after a wait that doubles with each quick failure.
 * A child sees our end on its IPC channel and stops by itself, so nothing is left behind even when we are killed.
 */
export class Supervisor {
  #watched = new Map<string, Watched>()
  #isStopping = false
  #onEvent: (name: string, event: 'started' | 'exited', detail: string) => void

  constructor(onEvent: (name: string, event: 'started' | 'exited', detail: string) => void = () => undefined) {
    this.#onEvent = onEvent
  }

  start(spec: ProcessSpec): void {
    const watched: Watched = { spec, startedMs: 0, failures: 0, downUntilMs: 0, restarts: -1 }
    this.#watched.set(spec.name, watched)
    this.#spawn(watched)
  }

  #spawn(watched: Watched): void {
    const { spec } = watched
    mkdirSync(dirname(spec.logFile), { recursive: true })
    const log = openSync(spec.logFile, 'a')
    const child = spawn(process.execPath, spec.args, {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, ...spec.env },
    })
    watched.child = child
    watched.startedMs = Date.now()
    watched.restarts++
    this.#onEvent(spec.name, 'started', `pid ${child.pid}`)
    child.once('error', (error) =>
      appendFileSync(spec.logFile, `${JSON.stringify({ level: 'warn', event: 'not started', why: error.message })}\n`),
    )
    child.once('exit', (code, signal) => {
      this.#onEvent(spec.name, 'exited', signal ?? `code ${code}`)
      if (this.#isStopping) return
      void this.#restart(watched)
    })
  }

  async #restart(watched: Watched): Promise<void> {
    const now = Date.now()
    watched.failures = now - watched.startedMs > HEALTHY_MS ? 0 : watched.failures + 1
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, watched.failures - 1))
    await sleep(Math.max(waitMs, watched.downUntilMs - now))
    if (!this.#isStopping) this.#spawn(watched)
  }

  /** SIGKILL, and no restart for `downMs`: a machine that went away and comes back. */
  kill(name: string, downMs = 0): void {
    const watched = this.#watched.get(name)
    if (!watched?.child) throw new Error(`no process named ${name}`)
    watched.downUntilMs = Date.now() + downMs
    watched.child.kill('SIGKILL')
  }

  pidOf(name: string): number | undefined {
    return this.#watched.get(name)?.child?.pid
  }

  restartsOf(name: string): number {
    return Math.max(0, this.#watched.get(name)?.restarts ?? 0)
  }

  /** Asks every process to stop, and ends those that have not after eight seconds. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const running = [...this.#watched.values()]
      .map(({ child }) => child)
      .filter((child) => child && child.exitCode === null && child.signalCode === null)
    const gone = running.map((child) => new Promise<void>((resolve) => child?.once('exit', () => resolve())))
    for (const child of running) child?.kill('SIGTERM')
    await Promise.race([Promise.all(gone), sleep(STOP_MS)])
    for (const child of running) if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await Promise.race([Promise.all(gone), sleep(1_000)])
  }
}
