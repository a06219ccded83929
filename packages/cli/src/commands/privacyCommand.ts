/** What `potluck privacy` takes; what it does stands in privacy.ts and is loaded when it runs. */
import { type Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from './argumentParsers.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

const plain = /^(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i

/** A number above 0 and up to `most`; exponents are allowed. */
export function positiveNumber(most: number): (text: string) => number {
  return (text) => {
    const value = plain.test(text) ? Number(text) : Number.NaN
    if (value > 0 && value <= most) return value
    const shown = JSON.stringify(text.slice(0, 80))
    throw new InvalidArgumentError(`got ${shown}; write a number above 0 and up to ${most}.`)
  }
}

/** A probability above 0 and up to 1, or two numbers such as 256/60000. */
export function samplingRate(text: string): number {
  const [, top, bottom] = /^(\d{1,15})\/(\d{1,15})$/.exec(text) ?? []
  const value = top === undefined ? (plain.test(text) ? Number(text) : Number.NaN) : Number(top) / Number(bottom)
  if (value > 0 && value <= 1) return value
  const shown = JSON.stringify(text.slice(0, 80))
  throw new InvalidArgumentError(`got ${shown}; write a number above 0 and up to 1, such as 0.01 or 256/60000.`)
}

/** δ: a number above 0 and below 1. */
export function failureChance(text: string): number {
  const value = plain.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value < 1) return value
  const shown = JSON.stringify(text.slice(0, 80))
  throw new InvalidArgumentError(`got ${shown}; write a number above 0 and below 1, such as 1e-5.`)
}

export function privacyCommand(): Command {
  const group = describeCommand('privacy', 'what differential privacy costs and what it is worth, before anything runs')
  const load = () => import('./privacy.ts')
  const common = (command: Command): Command =>
    withJson(command)
      .requiredOption(
        '--rate <q>',
        'chance that one row (or client) is in a step: 0.01, 256/60000; 1 for all',
        samplingRate,
      )
      .requiredOption('--steps <n>', 'noisy steps (or rounds) in all', wholeNumber(1, 10_000_000))
      .requiredOption(
        '--delta <d>',
        'chance that the promise fails; well below 1 over the number of rows',
        failureChance,
      )
      .option('--members <n>', 'rows (or clients) that are protected, for what the promise is worth', wholeNumber(1))
  group.addCommand(
    common(describeCommand('epsilon', 'the ε that noise gives, by two accountants, in words'))
      .requiredOption('--sigma <s>', 'noise multiplier: deviation of the noise over the clip', positiveNumber(10_000))
      .action(async (options) => {
        await printed(options, async () => (await load()).privacyEpsilon(options))
      }),
  )
  group.addCommand(
    common(describeCommand('sigma', 'the least noise that keeps within an ε'))
      .requiredOption('--epsilon <e>', 'the ε wanted', positiveNumber(1_000))
      .action(async (options) => {
        await printed(options, async () => (await load()).privacySigma(options))
      }),
  )
  return group
}
