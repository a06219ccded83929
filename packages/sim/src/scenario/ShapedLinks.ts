import type { Draws } from '../Draws.ts'
import type { Scheduler } from '../Scheduler.ts'
import type { Process, Wait } from './Process.ts'
import type { Region, Scenario } from './Scenario.ts'

type Station = {
  readonly region: Region
  process: Process | undefined
  upFreeMs: number
  downFreeMs: number
  sentBytes: number
  lastSentMs: number
  receivedBytes: number
}

const kindOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'kind' in body ? String(body.kind) : 'other'

/** Nobody listens there: the process is down. Comes after one way there and back, long before a timeout. */
export const REFUSED = Symbol('refused')

/**
 * Links with a rate up and down, latency, jitter and loss. Each node has one queue out and one queue in, first come first served; a
 * message counts as there when its last byte is. It takes its places in both queues when it is sent, so a later, nearer message does not
 * overtake it at the receiver: pessimistic for the near one by at most a latency.
 */
export class ShapedLinks {
  #scheduler: Scheduler
  #draws: Draws
  #shape: Scenario['links']
  #stations: Station[]
  #cut = new Set<string>()
  messages = 0
  /** Bytes sent from one region to another, by what was asked for. */
  readonly between = new Map<string, number>()

  constructor(scheduler: Scheduler, draws: Draws, shape: Scenario['links'], regions: readonly Region[]) {
    this.#scheduler = scheduler
    this.#draws = draws
    this.#shape = shape
    this.#stations = regions.map((region) => ({
      ...{ region, process: undefined, upFreeMs: 0, downFreeMs: 0, sentBytes: 0, receivedBytes: 0, lastSentMs: 0 },
    }))
  }

  attach(process: Process): void {
    const station = this.#at(process.node)
    station.process = process
    station.upFreeMs = station.downFreeMs = 0
  }

  /** Cuts a region off from all others, or joins it again. */
  cut(region: string, isCut: boolean): void {
    if (isCut) this.#cut.add(region)
    else this.#cut.delete(region)
  }

  bytesOf(node: number): { up: number; down: number } {
    const { sentBytes: up, receivedBytes: down } = this.#at(node)
    return { up, down }
  }

  /** When a node last sent anything. */
  lastSentMs = (node: number): number => this.#at(node).lastSentMs

  regionOf(node: number): string {
    return this.#at(node).region.name
  }

  /**
   * Asks another node; undefined when no answer came in time, REFUSED when nobody runs there.
   *
   * @param what for the watchdog
   */
  call(
    caller: Process,
    to: number,
    request: { readonly body: unknown; readonly sizeBytes: number },
    what: Wait['what'],
    timeoutMs: number,
  ): Promise<unknown> {
    const kind = kindOf(request.body)
    return caller.wait(what, (resolve) => {
      this.#scheduler.after(timeoutMs, caller.life, () => resolve(undefined))
      const peer = this.#at(to).process
      if (!peer?.life.isAlive) {
        if (this.#reaches(caller.node, to))
          this.#scheduler.after(2 * this.#latencyMs(caller.node, to), caller.life, () => resolve(REFUSED))
        return
      }
      const ask = async (): Promise<void> => {
        const reply = await peer.answer(caller.node, request.body)
        if (reply) this.transmit(to, caller.node, reply.sizeBytes, caller, () => resolve(reply.body), kind)
      }
      this.transmit(caller.node, to, request.sizeBytes, peer, () => peer.spawn(ask), kind)
    })
  }

  /** One message, `run` where it arrives, in a process that is still alive then. */
  transmit(from: number, to: number, sizeBytes: number, receiver: Process, run: () => void, kind = 'other'): void {
    const [out, into] = [this.#at(from), this.#at(to)]
    const nowMs = this.#scheduler.nowMs
    this.messages++
    out.sentBytes += sizeBytes
    if (out.region.name !== into.region.name) this.between.set(kind, (this.between.get(kind) ?? 0) + sizeBytes)
    out.lastSentMs = nowMs
    const startMs = Math.max(nowMs, out.upFreeMs)
    out.upFreeMs = startMs + sizeBytes / (125 * out.region.upMbit)
    if (!this.#reaches(from, to) || (this.#shape.lossPart > 0 && this.#draws.happens(this.#shape.lossPart))) return
    const latencyMs = this.#latencyMs(from, to)
    into.downFreeMs = Math.max(into.downFreeMs, startMs + latencyMs) + sizeBytes / (125 * into.region.downMbit)
    const arrivalMs = Math.max(out.upFreeMs + latencyMs, into.downFreeMs)
    this.#scheduler.after(arrivalMs - nowMs, receiver.life, () => {
      into.receivedBytes += sizeBytes
      run()
    })
  }

  #reaches(from: number, to: number): boolean {
    const [a, b] = [this.regionOf(from), this.regionOf(to)]
    return a === b || !(this.#cut.has(a) || this.#cut.has(b))
  }

  #latencyMs(from: number, to: number): number {
    const { nearMs, farMs, jitterPart } = this.#shape
    const least = this.regionOf(from) === this.regionOf(to) ? nearMs : farMs
    return jitterPart > 0 ? least * (1 + jitterPart * this.#draws.uniform()) : least
  }

  #at(node: number): Station {
    return this.#stations[node] as Station
  }
}
