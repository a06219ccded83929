/** The command line: what each command takes; what it does stands in commands/. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { addCommands } from './commands/addCommands.ts'
import type { Kill } from './demo/Demo.ts'
import { workers } from './network/plan.ts'

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number of at least 1')
  return value
}

/** `worker-1@language` or `postgres@settle`, several separated by commas. */
const kills = (text: string): Kill[] =>
  text.split(',').map((one) => {
    const [process, stage] = one.trim().split('@')
    if (!process || !stage)
      throw new InvalidArgumentError(`expected PROCESS@STAGE, for example gateway@calls, got ${one}`)
    return { process, stage }
  })

export const program = new Command('potluck')
  .description('Build an AI model together, own it together, and be paid for every use of it.')
  .version('0.1.0')
  .configureHelp({ showGlobalOptions: true })

program
  .command('up')
  .description('bring up a network on this machine and keep it running until Ctrl-C')
  .option('--dir <folder>', 'where keys, state and logs live', '.potluck')
  .option('--demo', 'play the whole loop on real data', false)
  .option('--once', 'stop when the loop is closed', false)
  .option('--report <file>', 'write what was measured as JSON')
  .option('--json', 'print the report as JSON at the end', false)
  .addOption(
    new Option('--database-url <url>', 'a Postgres for the ledger, instead of the embedded one').env('DATABASE_URL'),
  )
  .option('--rounds <n>', 'rounds of the language job', whole, 7)
  .addOption(new Option('--liar <worker>', 'the worker that lies').choices(workers).default('worker-4'))
  .addOption(new Option('--victim <worker>', 'the worker that is killed').choices(workers).default('worker-2'))
  .option('--kill <process@stage,...>', 'a drill: SIGKILL processes in the middle of stages', kills, [])
  .action(async (options) => (await import('./commands/up.ts')).up(options))

program
  .command('node')
  .description('run one participant')
  .requiredOption('--config <file>', 'JSON file with what the node is told')
  .action(async ({ config }: { config: string }) => (await import('./commands/node.ts')).runNode(config))

addCommands(program)
