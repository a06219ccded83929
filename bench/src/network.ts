/**
 * Utilisation over slow links, and goodput when workers are killed.
 *
 * Utilisation is emulated: a real update of 10 M values is compressed and decoded once and its bytes and times are measured; inner steps and
 * links are simulated time. Coding is counted as if one core did it beside the training. Goodput is simulated: the scenario `killed`, with
 * real training, signatures and rounds. So are clusters that exchange means and workers that never wait, each beside plain rounds.
 */
import { RandomStream } from '@potluck/engine'
import { compressUpdate, decodeUpdate } from '@potluck/learning'
import { utf8 } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import { runScenario, type Scenario } from '@potluck/sim/scenario'
import { killedScenario } from './learning/killedScenario.ts'
import { type NetworkSetting, networkRounds } from './learning/networkRounds.ts'
import { bufferedRows, regionRows } from './learning/pairedScenarios.ts'
import type { Row } from './Row.ts'

const P = 10_000_000
const STEPS = 30
/** Header and signature around an update (packages/sim, Delivery.ts). */
const FRAME_BYTES = 56 + 65
const how = { kind: 'topk', keep: 64, feedback: 8 } as const

/** Times depend on the machine's load; what they lead to hardly does. */
export const tolerance = 0.05

export async function run(): Promise<Row[]> {
  const coding = measureCoding()
  const usual: NetworkSetting = {
    ...{ workers: 16, keepers: 4, rounds: 20, mbit: 100, latencyMs: 50, isOverlapped: true },
    ...{ steps: () => STEPS, stepMs: () => 1_000, messageBytes: coding.bytes + FRAME_BYTES },
    ...coding,
  }
  const overlapped = await networkRounds(usual)
  const plain = await networkRounds({ ...usual, isOverlapped: false })
  // Steps of 0.9 to 1.1 s, the number of them by speed.
  const stepMs = (worker: number): number => 900 + Math.round((200 * worker) / 15)
  const steps = (worker: number): number => Math.round((STEPS * 1_000) / stepMs(worker))
  const uneven = await networkRounds({ ...usual, stepMs, steps })
  const many = await networkRounds({ ...usual, workers: 64 })
  const dense = await networkRounds({ ...usual, isOverlapped: false, messageBytes: 4 * P, compressMs: 0, decodeMs: 0 })

  const scenario = killedScenario()
  const goodput = await goodputOf(scenario)
  const whole = await goodputOf({ ...scenario, pieces: 1, reassign: false })
  const row = (what: string, value: number, unit: string): Row => ({
    ...{ what, value, unit, rival: null, rivalValue: null, ratio: null },
  })
  return [
    {
      ...row('utilisation', overlapped.utilisation, 'training ÷ all time, emulated: 100 Mbit/s, 50 ms, overlap'),
      ...{ rival: 'Covenant-72B, published', rivalValue: 0.945, ratio: overlapped.utilisation / 0.945 },
    },
    {
      ...row('utilisation.noOverlap', plain.utilisation, 'the same, one after the other, emulated'),
      ...{ rival: 'f32 updates', rivalValue: dense.utilisation, ratio: plain.utilisation / dense.utilisation },
    },
    row('utilisation.uneven', uneven.utilisation, 'overlap, steps of 0.9 to 1.1 s, emulated'),
    row('utilisation.64', many.utilisation, 'overlap, 64 workers, emulated'),
    row('round.upload', overlapped.bytesPerRound, 'bytes a worker and round, to 4 keepers, receipts not counted'),
    row('round.message', usual.messageBytes, 'bytes of one update of 10 M values with frame and signature, measured'),
    row('compress.ms', coding.compressMs, 'ms, one thread, measured'),
    row('decode.ms', coding.decodeMs, 'ms, one thread, measured'),
    {
      ...row('goodput', goodput.goodput, 'steps in models ÷ steps computed, 30 % killed each round, simulated'),
      ...{
        rival: 'one piece a round, none reassigned',
        rivalValue: whole.goodput,
        ratio: goodput.goodput / whole.goodput,
      },
    },
    row('goodput.crashes', goodput.crashes, 'workers and keepers killed, simulated'),
    row(
      'goodput.broken',
      goodput.broken.length + whole.broken.length,
      'accepted updates lost or counted twice, models that differ',
    ),
    ...(await regionRows()),
    ...(await bufferedRows()),
  ]
}

async function goodputOf(scenario: Scenario): Promise<Awaited<ReturnType<typeof runScenario>>> {
  const engine = await createLocalEngine({ executor: 'auto', threads: 1 })
  try {
    return await runScenario({ engine, scenario })
  } finally {
    await engine.close()
  }
}

/** CPU time, so that what else the machine does meanwhile does not count. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function measureCoding(): Pick<NetworkSetting, 'compressMs' | 'decodeMs' | 'addMs' | 'passMs'> & {
  readonly bytes: number
} {
  const random = new RandomStream(utf8('potluck bench/network'), 70, 0)
  const delta = new Float32Array(P)
  for (let i = 0; i < P; i++) {
    const word = random.word(i)
    // Four bytes added up: near enough to normal for a coder of positions and signs.
    delta[i] = ((word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510) / 100_000
  }
  let packed = compressUpdate(delta, undefined, how)
  const compressMs = cpuMs(() => {
    packed = compressUpdate(delta, packed.residual, how)
  })
  const decodeMs = cpuMs(() => decodeUpdate(packed.bytes, P, how))
  const sum = new Float64Array(P)
  const { update } = packed
  const addMs = cpuMs(() => {
    for (let p = 0; p < P; p++) sum[p] = sum[p]! + 3 * update[p]!
  })
  const next = new Float32Array(P)
  const passMs = cpuMs(() => {
    for (let p = 0; p < P; p++) next[p] = delta[p]! - update[p]!
  })
  return { bytes: packed.bytes.length, compressMs, decodeMs, addMs, passMs }
}
