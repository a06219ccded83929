import { PotluckError } from '@potluck/protocol'
import type { CompiledProgram } from './compileProgram.ts'
import { type Part, runSteps } from './runSteps.ts'
import type { Answer, Prepare } from './serveThread.ts'
import { listen, TeamControl } from './TeamControl.ts'
import type { WasmMemory } from './webAssembly.ts'

/** A thread as the engine sees it: a worker whose entry calls `serveThread`. It must not keep the process alive. */
export type EngineThread = {
  /** Sends a message by structured cloning. */
  post(message: Prepare): void
  /** Must be called once; the listener hears every answer. */
  onAnswer(listener: (answer: Answer) => void): void
  close(): Promise<void>
}

/** Threads that run programs together with the calling one, which is thread 0. */
export class ThreadTeam {
  readonly threads: number
  readonly #others: readonly EngineThread[]
  readonly #control = new TeamControl()
  readonly #waiting = new Map<number, { left: number; done(): void; fail(why: Error): void }>()
  readonly #released: number[] = []
  readonly #leavers = new FinalizationRegistry<number>((id) => this.#released.push(id))
  #executions = 0
  #isClosed = false

  constructor(others: readonly EngineThread[]) {
    this.threads = others.length + 1
    this.#others = others
    for (const other of others) other.onAnswer((answer) => this.#hear(answer))
  }

  /** Gives a program and its memory to all threads; returns the number to run it by. `owner`'s end is its release. */
  async prepare({ module, steps, scratchBytes }: CompiledProgram, memory: WasmMemory, owner: object): Promise<number> {
    this.#checkOpen()
    const id = this.#executions++
    this.#control.countMessage()
    const order = this.#control.give({ command: listen, turned: 0, end: 0 })
    const released = this.#released.splice(0)
    const ready = new Promise<void>((done, fail) => {
      this.#waiting.set(id, { left: this.#others.length, done, fail })
    })
    const common = { id, module, memory, steps, scratchBytes, control: this.#control.memory, order, released }
    this.#others.forEach((other, i) => {
      other.post({ ...common, thread: i + 1, threads: this.threads })
    })
    await ready
    this.#leavers.register(owner, id)
    return id
  }

  /** Runs the steps before `end` with all threads; `part` is the calling thread's. Returns as `runSteps` does. */
  run(id: number, part: Part, turned: 0 | 1, end: number): number {
    this.#checkOpen()
    this.#control.give({ command: id, turned, end })
    try {
      return runSteps(part, turned, end, this.#control.seat(0, this.threads))
    } catch (error) {
      this.#control.fail()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { fail } of this.#waiting.values()) fail(closed())
    this.#waiting.clear()
    await Promise.all(this.#others.map((other) => other.close()))
  }

  #hear(answer: Answer): void {
    if ('failed' in answer) {
      const error = new PotluckError('THREAD_FAILED', `a thread of the engine failed: ${answer.failed}`)
      for (const { fail } of this.#waiting.values()) fail(error)
      this.#waiting.clear()
      return
    }
    const waiting = this.#waiting.get(answer.ready)
    if (!waiting || --waiting.left > 0) return
    this.#waiting.delete(answer.ready)
    waiting.done()
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
  }
}

const closed = (): PotluckError => new PotluckError('CLOSED', 'the engine is closed: make a new one')
