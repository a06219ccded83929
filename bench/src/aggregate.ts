/**
 * The default rule over 100 dense updates of 10 M parameters that lie in memory: our two passes beside a plain read of the same buffers,
 * and beside NumPy on updates of the same form. Each has a process of its own, one after the other, so that 4 GB are held once at a time.
 * Times are wall times: ours and the plain read in turns, group by group of updates the best of all rounds; NumPy's the best of its rounds.
 */
import { freemem } from 'node:os'
import { PotluckError } from '@potluck/protocol'
import { inChild } from './engine/inChild.ts'
import { numpyAggregation } from './learning/aggregateNumpy.ts'
import type { OwnAggregation, PassTimes } from './learning/aggregateOwn.ts'
import type { Row } from './Row.ts'

export const tolerance = 0.25

const [COUNT, P, ROUNDS] = [100, 10_000_000, 5]
const BYTES = 4 * COUNT * P
/** The inputs, and room for what runs beside. */
const NEEDED_BYTES = 1.5 * BYTES

const rate = (bytes: number, ms: number): number => bytes / ms / 1e6

const roundMs = ({ sumsMs, addMs, restMs }: PassTimes): number => sumsMs + addMs + restMs

function passRows(name: string, times: PassTimes, threads: number): Row[] {
  const rival = `plain read of the same buffers in C, ${threads} thread${threads > 1 ? 's' : ''}`
  const read = rate(BYTES, times.readMs)
  const row = (what: string, ms: number, passes: number): Row => {
    const value = rate(passes * BYTES, ms)
    return { what: `${name}.${what}`, value, unit: 'GB/s of updates', rival, rivalValue: read, ratio: value / read }
  }
  return [row('ratio', roundMs(times), 2), row('sums', times.sumsMs, 1), row('add', times.addMs, 1)]
}

export async function run(): Promise<Row[]> {
  if (freemem() < NEEDED_BYTES) {
    throw new PotluckError(
      'OUT_OF_MEMORY',
      `${Math.round(freemem() / 1e6)} MB are free, the updates take ${BYTES / 1e6}: end what else runs`,
      { freeBytes: freemem(), neededBytes: NEEDED_BYTES },
      { remedy: 'fix-setup' },
    )
  }
  const own = await inChild<OwnAggregation>('../learning/aggregateOwn.ts', COUNT, P, ROUNDS)
  if (own.weighed !== COUNT) throw new PotluckError('BAD_BENCH', `only ${own.weighed} of ${COUNT} updates had weight`)
  const numpy = numpyAggregation(COUNT, P, ROUNDS)
  const [alone, both] = own.native as [PassTimes, PassTimes]
  const bestMs = Math.min(roundMs(alone), roundMs(both))
  const numpyRow: Row =
    'absent' in numpy
      ? {
          what: 'numpy.ratio',
          value: bestMs,
          unit: 'ms',
          rival: `not measured: ${numpy.absent}`,
          rivalValue: null,
          ratio: null,
        }
      : {
          what: 'numpy.ratio',
          value: bestMs,
          unit: 'ms a round',
          rival: `NumPy ${numpy.version}, the better of two ways to write it`,
          rivalValue: Math.min(numpy.matrixMs, numpy.rowMs),
          ratio: Math.min(numpy.matrixMs, numpy.rowMs) / bestMs,
        }
  return [
    ...passRows('read', both, 2),
    ...passRows('read.t1', alone, 1),
    ...passRows('wasm', own.wasm, 1),
    ...passRows('typescript', own.typescript, 1),
    numpyRow,
    {
      what: 'memory.beyondInputs',
      value: own.grownBytes / 1e6,
      unit: 'MB, growth of the peak resident memory',
      rival: 'one model',
      rivalValue: (4 * P) / 1e6,
      ratio: (4 * P) / own.grownBytes,
    },
  ]
}
