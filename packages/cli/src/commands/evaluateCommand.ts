/** What `potluck evaluate` takes; what it does stands in evaluate.ts and is loaded when it runs. */
import type { Hex } from '@potluck/protocol'
import { type Command, Option } from 'commander'
import { hash, wholeNumber } from './argumentParsers.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

const hashes = (text: string): Hex[] => text.split(',').map((one) => hash(one.trim()))

export function evaluateCommand(): Command {
  const command = describeCommand(
    'evaluate',
    'evaluate a trained model on a test set; signed, so that others can rely on it and check it',
  )
    .argument('<folder>', 'folder that train wrote')
    .option('--test <file>', 'a table or text to test on')
    .option('--test-images <file>', 'images to test on')
    .option('--test-labels <file>', 'and their labels')
    .addOption(
      new Option('--header <choice>', 'whether the first line of a table names its columns')
        .choices(['auto', 'yes', 'no'])
        .default('auto'),
    )
    .option('--key <file>', 'key file of whoever evaluates: signs the result')
    .option(
      '--committed <hashes>',
      'SHA-256 of the files of the test set as committed to before, comma-separated',
      hashes,
      [],
    )
    .option('--verify <file>', 'a signed evaluation: checks its signature and computes it again')
    .option('--out <file>', 'file to write the result to')
    .option('--threads <n>', 'threads; as many as the machine has when left out', wholeNumber(1, 1_024))
    .addOption(
      new Option('--executor <name>', 'what computes; the bits are the same')
        .choices(['auto', 'native', 'wasm', 'reference'])
        .default('auto'),
    )
  return withJson(command).action(async (folder: string, options) => {
    await printed(options, async () => (await import('./evaluate.ts')).evaluate({ ...options, folder }))
  })
}
