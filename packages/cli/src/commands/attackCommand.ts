/** What `potluck attack` takes; what it does stands in attack.ts and is loaded when it runs. */
import { type Command, Option } from 'commander'
import { decimalNumber, wholeNumber } from './argumentParsers.ts'
import { nameList, withDataOptions } from './dataOptions.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

const count = wholeNumber(1, 10_000_000)

export function attackCommand(): Command {
  const command = describeCommand(
    'attack',
    'test your own setting against lying participants: trains on your data once for each attack, and rates what is left',
  )
    .option('--text <file>', 'a text, UTF-8')
    .option('--csv <file>', 'a table: comma, semicolon or tab')
    .option('--target <column>', 'of a table: the column to predict, by name, or by number from 1')
    .option('--images <file>', 'images in an IDX file; any file may be gzipped')
    .option('--labels <file>', 'of images: their labels in an IDX file')
    .option(
      '--model <config>',
      'logistic, mlp, cnn, llama or gpt, or a file with a config; the usual for the data when left out',
    )
    .option('--clients <n>', 'participants', wholeNumber(2, 100_000), 20)
    .option('--partition <how>', 'iid, dirichlet:ALPHA, labels:K or by-column:COLUMN', 'iid')
    .option('--rule <rule>', 'how updates become one; see `potluck train --help`', 'reference')
    .option('--reference <n>', 'rows that everybody may see, for the rule reference; not trained on', count)
    .option('--compress <codec>', 'none, dense8, dense4, dense2 or topk:KEEP[:FEEDBACK]', 'none')
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
  return withJson(withDataOptions(command)).action(async (options) => {
    await printed(options, async () => (await import('./attack.ts')).attack(options))
  })
}
