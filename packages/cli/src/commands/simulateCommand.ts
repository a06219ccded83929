/** What `potluck simulate` takes; what it does stands in simulate.ts and is loaded when it runs. */
import { type Command, Option } from 'commander'
import { wholeNumber } from './argumentParsers.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'
import type { SimulateOptions } from './simulate.ts'

export const simulateCommand = (): Command =>
  withJson(
    describeCommand(
      'simulate',
      'a network of learners in this process: real training, signatures and rules; simulated time, links, disks and crashes',
    ),
  )
    .argument('<scenario>', 'a scenario file, YAML or JSON, or calm, storm, killed, thousand, cut')
    .option('--seed <n>', 'another history, or one to be replayed', wholeNumber(0, 2_147_483_647))
    .option('--rounds <n>', "instead of the scenario's", wholeNumber(1, 100_000))
    .option('--workers <n>', "instead of the scenario's", wholeNumber(1, 20_000))
    .option('--images <file>', 'train on these images (IDX) instead of drawn digits')
    .option('--labels <file>', 'and their labels')
    .option('--csv <file>', 'train on this table')
    .option('--target <column>', 'of the table: the column with the class')
    .option('--story', 'tell what happened, event by event', false)
    .addOption(
      new Option('--executor <name>', 'what computes; the bits are the same')
        .choices(['auto', 'native', 'wasm', 'reference'])
        .default('auto'),
    )
    .option(
      '--threads <n>',
      'threads that train and sign for the simulated workers; as many as the machine has from 100 workers on, else none',
      wholeNumber(0, 256),
    )
    .action(async (scenario: string, options: Omit<SimulateOptions, 'scenario'>) => {
      await printed(options, async () => (await import('./simulate.ts')).simulate({ ...options, scenario }))
    })
