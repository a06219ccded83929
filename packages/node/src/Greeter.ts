import type { Body } from '@potluck/protocol'
import type { NodeContext } from './JobView.ts'

const HELLO_MS = 10_000
/** The first hellos may go out before anybody is connected. */
const FIRST_HELLO_MS = 2_500

/** Says now and then who this node is, where its blocks are and what it serves; at once when what it serves has changed. */
export class Greeter {
  #context: NodeContext
  #peer: string
  #startedMs: number
  #helloMs = 0
  #served = ''

  constructor(context: NodeContext, peer: string) {
    this.#context = context
    this.#peer = peer
    this.#startedMs = context.ports.clock.nowMs()
  }

  async greet(serves: Body<'hello'>['serves']): Promise<void> {
    const { ports, identity, outbox } = this.#context
    const now = ports.clock.nowMs()
    const everyMs = now - this.#startedMs < HELLO_MS ? FIRST_HELLO_MS : HELLO_MS
    const served = serves?.versions.join() ?? ''
    if (now - this.#helloMs < everyMs && served === this.#served) return
    this.#helloMs = now
    this.#served = served
    const { url, roles, region } = identity
    const body = { url, roles, peer: this.#peer, serves, ...(region === undefined ? {} : { region }) }
    await outbox.say({ kind: 'hello', body })
  }
}
