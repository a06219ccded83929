/** What `potluck attack` takes; what it does stands in attack.ts and is loaded when it runs. */
import { type Command, Option } from 'commander'
import { decimalNumber, wholeNumber } from './argumentParsers.ts'
import type { AttackCommandOptions } from './attack.ts'
import { nameList, withDataOptions } from './dataOptions.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

const count = wholeNumber(1, 10_000_000)

export function attackCommand(): Command {
  const command = describeCommand(
    'attack',
    'test your own setting against lying participants: trains on your data once for each attack, and rates what is left',
  )
    .argument(
      '[model-or-job]',
      'folder that `train --clients` wrote, or a job file: data and setting are taken from there, and options go before them',
    )
    .option('--text <file>', 'a text, UTF-8; of a job the one it trains on')
    .option('--csv <file>', 'a table: comma, semicolon or tab')
    .option('--target <column>', 'of a table: the column to predict, by name, or by number from 1')
    .option('--images <file>', 'images in an IDX file; any file may be gzipped')
    .option('--labels <file>', 'of images: their labels in an IDX file')
    .option(
      '--model <config>',
      'logistic, mlp, cnn, llama or gpt, or a file with a config; the usual for the data when left out',
    )
    .option('--clients <n>', 'participants (default: 20)', wholeNumber(2, 100_000))
    .option('--partition <how>', 'iid, dirichlet:ALPHA, labels:K or by-column:COLUMN (default: "iid")')
    .option('--rule <rule>', 'how updates become one; see `potluck train --help` (default: "reference")')
    .option('--reference <n>', 'rows that everybody may see, for the rule reference; not trained on', count)
    .option('--compress <codec>', 'none, dense8, dense4, dense2 or topk:KEEP[:FEEDBACK] (default: "none")')
    .option('--attackers <share>', 'part of the participants that lies', decimalNumber(0.0001, 0.9999), 0.4)
    .option(
      '--attacks <list>',
      'attacks, comma-separated, such as sign-flip,alie:1.5,adaptive (default: all)',
      nameList,
      [],
    )
    .option('--repeats <n>', 'trainings of each, with seeds of their own', wholeNumber(1, 100), 1)
    .option('--rounds <n>', 'rounds; the usual for the data when left out', count)
    .option('--local-steps <n>', 'steps of a participant in a round (default: 20)', count)
    .option('--batch <n>', 'rows, images or windows a step', wholeNumber(1, 1_000_000))
    .addOption(new Option('--optimizer <name>', 'how parameters move').choices(['adamw', 'sgd', 'muon']))
    .option('--valid <per cent>', 'part of the data set aside to measure on', decimalNumber(0.1, 90))
    .option('--seed <n>', 'decides the split, the start, the order of the data and who lies', wholeNumber(0), 1)
    .option('--out <file>', 'write the record to this file, as JSON')
  return withJson(withDataOptions(command)).action(async (subject: string | undefined) => {
    const options = attackOptions(command, subject)
    await printed(options, async () => (await import('./attack.ts')).attack(options))
  })
}

/** Of the attack itself; all others say what is attacked. */
const own = ['attackers', 'attacks', 'repeats', 'out', 'executor', 'threads', 'json']

/** The options as they were typed: what a run recorded goes before a default, and what was typed before both. */
export function attackOptions(command: Command, subject: string | undefined): AttackCommandOptions {
  const all = command.opts()
  const isTyped = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  const typed = Object.entries(all).filter(([name]) => !own.includes(name) && isTyped(name))
  const rest = Object.fromEntries(Object.entries(all).filter(([name]) => own.includes(name)))
  return { ...(rest as Omit<AttackCommandOptions, 'given'>), subject, given: Object.fromEntries(typed) }
}
