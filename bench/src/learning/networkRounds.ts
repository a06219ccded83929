/**
 * Rounds of a few workers over emulated links: the bytes and the times of coding are measured, training and links are simulated time.
 *
 * Without overlap a worker trains, codes, sends, waits for the others, fetches their updates and applies them, one after the other. With
 * overlap all but the training happens meanwhile: the steps of the next round begin at once, and the sum of a round is applied one round
 * late (eager updates, arXiv:2502.12996); a worker waits only when the sum is not there by then.
 */
import { PotluckError } from '@potluck/protocol'
import { Changes, Draws, Process, Scheduler, ShapedLinks } from '@potluck/sim/scenario'

export type NetworkSetting = {
  readonly workers: number
  readonly keepers: number
  readonly rounds: number
  /** Inner steps of a worker, and ms of one. */
  readonly steps: (worker: number) => number
  readonly stepMs: (worker: number) => number
  readonly mbit: number
  readonly latencyMs: number
  readonly isOverlapped: boolean
  /** One update with everything around it. */
  readonly messageBytes: number
  readonly compressMs: number
  readonly decodeMs: number
  /** Weighing and adding one decoded update. */
  readonly addMs: number
  /** Taking the difference of two models, and moving one: what training cannot go on without. */
  readonly passMs: number
}

const RECEIPT_BYTES = 300
const ASK_BYTES = 100
const FSYNC_MS = 5
const TIMEOUT_MS = 600_000

export type NetworkResult = { readonly utilisation: number; readonly roundMs: number; readonly bytesPerRound: number }

/** Part of the workers' time that went into inner steps, from the first to the last round. */
export async function networkRounds(setting: NetworkSetting): Promise<NetworkResult> {
  const { workers, keepers, rounds, mbit, latencyMs } = setting
  const scheduler = new Scheduler(0)
  const region = { name: 'all', part: 1, upMbit: mbit, downMbit: mbit }
  const shape = { nearMs: latencyMs, farMs: latencyMs, jitterPart: 0.1, lossPart: 0 }
  const count = keepers + workers
  const links = new ShapedLinks(scheduler, new Draws(1, 'network'), shape, new Array(count).fill(region))
  const processes = Array.from({ length: count }, (_, node) => {
    const process = new Process(node, {
      scheduler,
      onAwait: () => undefined,
      onEscape: (_, error) => {
        throw error
      },
    })
    links.attach(process)
    return process
  })
  const changes = new Changes(scheduler)
  const arrived = processes.slice(0, keepers).map(() => new Map<number, number>())
  processes.slice(0, keepers).forEach((keeper, k) => {
    keeper.answer = async (_, request) => {
      const { kind, round } = request as { kind: 'deliver' | 'all'; round: number }
      const here = arrived[k] as Map<number, number>
      if (kind === 'deliver') {
        await keeper.sleep(FSYNC_MS, 'its disk')
        here.set(round, (here.get(round) ?? 0) + 1)
        changes.notify()
        return { body: 'receipt', sizeBytes: RECEIPT_BYTES }
      }
      await changes.until(keeper, 'all deliveries', () => here.get(round) === workers || undefined)
      return { body: 'updates', sizeBytes: (workers - 1) * setting.messageBytes }
    }
  })
  let [trainedMs, allMs, done] = [0, 0, 0]
  for (const process of processes.slice(keepers)) {
    process.spawn(async () => {
      const ms = await work(setting, links, process, new Changes(scheduler))
      trainedMs += ms
      allMs += scheduler.nowMs
      done++
    })
  }
  await scheduler.run(Number.POSITIVE_INFINITY, () => done === workers)
  if (done < workers) throw new PotluckError('STUCK', `${workers - done} of ${workers} workers never finished`)
  const bytes = processes.slice(keepers).reduce((sum, { node }) => sum + links.bytesOf(node).up, 0)
  return {
    utilisation: trainedMs / allMs,
    roundMs: allMs / workers / rounds,
    bytesPerRound: bytes / workers / rounds,
  }
}

/** One worker's rounds; returns the time it trained. */
async function work(setting: NetworkSetting, links: ShapedLinks, process: Process, changes: Changes): Promise<number> {
  const { keepers, workers, rounds, isOverlapped, compressMs, decodeMs, addMs, passMs, messageBytes } = setting
  const worker = process.node - keepers
  const trainMs = setting.steps(worker) * setting.stepMs(worker)
  let summed = 0

  const exchange = async (round: number): Promise<void> => {
    await process.sleep(compressMs, 'its coder')
    const body = { kind: 'deliver', round }
    let receipts = 0
    for (let keeper = 0; keeper < keepers; keeper++) {
      process.spawn(async () => {
        await links.call(process, keeper, { body, sizeBytes: messageBytes }, 'a receipt', TIMEOUT_MS)
        receipts++
        changes.notify()
      })
    }
    await changes.until(process, 'receipts', () => receipts === keepers || undefined)
    const request = { body: { kind: 'all', round }, sizeBytes: ASK_BYTES }
    await links.call(process, (worker + round) % keepers, request, "the others' updates", TIMEOUT_MS)
    await process.sleep((workers - 1) * decodeMs + workers * addMs, 'its decoder')
    summed = round
    changes.notify()
  }

  for (let round = 1; round <= rounds; round++) {
    await process.sleep(trainMs, 'training')
    await process.sleep(passMs, 'the difference of two models')
    const needed = isOverlapped ? round - 1 : round
    const exchanged = exchange(round)
    if (!isOverlapped) await exchanged
    await changes.until(process, `the sum of round ${needed}`, () => summed >= needed || undefined)
    await process.sleep(passMs, 'the model to be moved')
  }
  return rounds * trainMs
}
