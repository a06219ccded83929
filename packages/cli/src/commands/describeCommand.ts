import { Command, Option, type OutputConfiguration } from 'commander'
import { webAddress } from './argumentParsers.ts'
import { jsonLine } from './printed.ts'

/** Usage errors look like everybody's: `BAD_USAGE: message`, or one JSON value after `--json`. */
export const usageOutput: OutputConfiguration = {
  outputError: (text, write) => {
    const message = text
      .replace(/^error: /, '')
      .trim()
      .replace(/\s*\n\s*/g, ' ')
    const isJson = process.argv.includes('--json')
    write(isJson ? jsonLine({ error: { code: 'BAD_USAGE', message, facts: {} } }) : `BAD_USAGE: ${message}\n`)
  },
  // The hint below an error is no part of the one JSON value.
  writeErr: (text) => {
    if (!process.argv.includes('--json') || text.startsWith('{')) process.stderr.write(text)
  },
}

/** A command with the help and the errors that all of them have. */
export function describeCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('--help shows what is expected.')
    .configureOutput(usageOutput)
}

export const withJson = (command: Command): Command =>
  command.option('--json', 'print one JSON value instead of text', false)

/** The options that say which network is meant. */
export const withNetwork = (command: Command): Command =>
  withJson(command)
    .option('--dir <folder>', 'folder of a network brought up with `potluck up`', '.potluck')
    .addOption(new Option('--rpc <url>', "chain to ask instead of the folder's own").argParser(webAddress))
    .option('--deployment <file>', "file that says where the contracts are, instead of the folder's own")
    .addOption(new Option('--gateway <url>', "gateway instead of the folder's own").argParser(webAddress))
    .addOption(new Option('--ledger <url>', "ledger instead of the folder's own").argParser(webAddress))

/** The options that say who acts. */
export const withAccount = (command: Command, who: string): Command =>
  withNetwork(command)
    .option('--key <file>', 'key file of the account that acts')
    .option('--as <name>', 'or: a name in the network folder whose cold key acts', who === '' ? undefined : who)
