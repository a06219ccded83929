import { kernelsOf } from './kernelsOf.ts'
import { type Part, runSteps, type Step } from './runSteps.ts'
import { listen, TeamControl } from './TeamControl.ts'
import { type WasmMemory, type WasmModule, webAssembly } from './webAssembly.ts'

/** The program of one execution, sent to every thread; the thread answers with `ready` and the same id. */
export type Prepare = {
  readonly id: number
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly steps: readonly Step[]
  readonly scratchBytes: number
  readonly control: SharedArrayBuffer
  readonly thread: number
  readonly threads: number
  /** Number of the order that came with this message. */
  readonly order: number
  /** Executions that will not be run again. */
  readonly released: readonly number[]
}
export type Answer = { readonly ready: number } | { readonly failed: string }

/** How a thread hears from the engine and answers. */
export type ThreadPort = {
  onMessage(listener: (message: Prepare) => void): void
  post(answer: Answer): void
}

/** What a thread remembers between two messages. */
type Memory = { readonly parts: Map<number, Part>; lastOrder: number; messages: number }

/**
 * The life of a thread of the WebAssembly engine: takes programs from its queue, and as long as that is empty obeys the
 * orders of thread 0. The entry file of a worker calls it with the worker's port.
 */
export function serveThread(port: ThreadPort): void {
  const memory: Memory = { parts: new Map(), lastOrder: 0, messages: 0 }
  port.onMessage((message) => {
    const control = new TeamControl(message.control)
    void prepare(message, memory)
      .then(() => {
        port.post({ ready: message.id })
        obey(control, message, memory)
      })
      .catch((error: unknown) => {
        control.fail()
        port.post({ failed: String(error) })
      })
  })
}

async function prepare(message: Prepare, { parts }: Memory): Promise<void> {
  const { id, module, memory, steps, scratchBytes, thread, released } = message
  for (const old of released) parts.delete(old)
  const { exports } = await webAssembly.instantiate(module, { env: { memory } })
  parts.set(id, { steps, kernels: kernelsOf(exports), scratch: thread * scratchBytes })
}

/** Runs what thread 0 orders until there is a message: a thread that sleeps for an order hears nothing else. */
function obey(control: TeamControl, { thread, threads, order }: Prepare, memory: Memory): void {
  const seat = control.seat(thread, threads)
  memory.messages++
  // Orders given since, for other programs, are still to be obeyed; those obeyed before this message was read are not.
  memory.lastOrder = Math.max(memory.lastOrder, order)
  while (control.messages() === memory.messages) {
    const { number, command, turned, end } = control.next(memory.lastOrder)
    memory.lastOrder = number
    if (command !== listen) runSteps(memory.parts.get(command)!, turned, end, seat)
  }
}
