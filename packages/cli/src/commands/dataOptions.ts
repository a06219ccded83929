import { type Command, Option } from 'commander'
import { wholeNumber } from './argumentParsers.ts'

/** Names after one option, comma-separated. */
export const nameList = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** How the user's data is read and what computes: the same for every command that trains on it. */
export const withDataOptions = (command: Command): Command =>
  command
    .option('--threads <n>', 'threads; as many as the machine has when left out', wholeNumber(1, 1_024))
    .addOption(
      new Option('--executor <name>', 'what computes; the bits are the same')
        .choices(['auto', 'native', 'wasm', 'reference'])
        .default('auto'),
    )
    .option('--tokenizer <kind>', 'of a text: chars, or bpe:N for N byte pairs', 'chars')
    .addOption(new Option('--task <name>', 'of a table').choices(['classification', 'regression']))
    .addOption(
      new Option('--header <choice>', 'whether the first line of a table names its columns')
        .choices(['auto', 'yes', 'no'])
        .default('auto'),
    )
    .option('--ignore <columns>', 'columns of a table to leave out, comma-separated', nameList, [])
    .option('--categorical <columns>', 'columns of numbers that are categories', nameList, [])
    .option('--classes <n>', 'of images: how many classes', wholeNumber(2, 256))
