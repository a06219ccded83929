import type { RoundRecord } from '../RoundRecord.ts'
import { type FederatedFacts, synchronousBytes } from './FederatedFacts.ts'
import { lineChart } from './lineChart.ts'
import { figure, percent, shortNumber, wireSize } from './markup.ts'

/** Loss, and accuracy where there is one. */
export function curveFigures({ rounds, bestRound }: FederatedFacts): string {
  const training = rounds.map(({ round, loss }) => [round, loss] as const)
  const valid = rounds.flatMap((one) => (one.valid ? [{ round: one.round, ...one.valid }] : []))
  const right = valid.flatMap(({ round, accuracy }) => (accuracy === null ? [] : [[round, accuracy] as const]))
  const table = {
    head: ['round', 'training loss', 'validation loss', 'accuracy'],
    rows: rounds.map((one) => [
      String(one.round),
      shortNumber(one.loss),
      one.valid ? shortNumber(one.valid.loss) : '',
      one.valid && one.valid.accuracy !== null ? percent(one.valid.accuracy) : '',
    ]),
  }
  const kept = `The model of round ${bestRound} was kept: it has the lowest loss on rows nobody trained on.`
  const loss = figure({
    title: 'Loss',
    says: `Training loss is that of the clients' own steps, on their own rows. ${kept}`,
    svg: lineChart({
      label: `Training and validation loss over ${rounds.length} rounds`,
      xName: 'round',
      yName: 'loss',
      series: [
        { name: 'training', points: training, colour: 0 },
        { name: 'validation', points: valid.map(({ round, loss }) => [round, loss] as const), colour: 1 },
      ],
    }),
    table,
  })
  if (right.length === 0) return loss
  const best = right.reduce((most, one) => (one[1] > most[1] ? one : most))
  return `${loss}
${figure({
  title: 'Accuracy',
  says: `Part of the validation rows the model of each round gets right; highest in round ${best[0]}: ${percent(best[1])}.`,
  svg: lineChart({
    label: `Validation accuracy over ${rounds.length} rounds, at most ${percent(best[1])}`,
    xName: 'round',
    yName: 'accuracy',
    series: [{ name: 'validation', points: right, colour: 2 }],
    shown: percent,
  }),
  table,
})}`
}

/** What went over the wire, and what synchronous training would have sent. */
export function bytesFigure(facts: FederatedFacts): string {
  const { rounds } = facts
  const sums = rounds.map((_, i) => totals(facts, rounds.slice(0, i + 1)))
  const last = sums.at(-1) ?? { up: 0, down: 0, synchronous: 0 }
  const series = (name: string, colour: number, of: (sum: (typeof sums)[number]) => number, isDashed = false) => ({
    name,
    colour,
    isDashed,
    points: rounds.map(({ round }, i) => [round, of(sums[i]!)] as const),
  })
  return figure({
    title: 'Bytes',
    says: `Sent by all clients together: ${wireSize(last.up)} up, ${wireSize(last.down)} down, frames and signatures counted. One f32 gradient a client and step, as synchronous training sends, is ${wireSize(last.synchronous)} up: ${shortNumber(last.synchronous / Math.max(1, last.up))} times as much. The scale is logarithmic.`,
    svg: lineChart({
      label: `Bytes sent up and down in total, and those of synchronous training, over ${rounds.length} rounds`,
      xName: 'round',
      yName: 'bytes so far',
      isLog: true,
      shown: wireSize,
      series: [
        series('synchronous f32, up', 7, ({ synchronous }) => synchronous, true),
        series('down', 9, ({ down }) => down),
        series('up', 0, ({ up }) => up),
      ],
    }),
    table: {
      head: ['round', 'up', 'down', 'up so far', 'down so far', 'synchronous f32 so far'],
      rows: rounds.map((one, i) => [
        String(one.round),
        String(one.bytesUp),
        String(one.bytesDown),
        String(sums[i]!.up),
        String(sums[i]!.down),
        String(sums[i]!.synchronous),
      ]),
    },
  })
}

export const totals = (
  facts: Pick<FederatedFacts, 'parameters' | 'localSteps'>,
  rounds: readonly RoundRecord[],
): { up: number; down: number; synchronous: number } => ({
  up: rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
  down: rounds.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
  synchronous: synchronousBytes(facts, rounds),
})
