/**
 * What each command for users takes. Only this file and the readers of arguments are loaded for `--help` and for the network's own processes;
 * what a command does is loaded when it runs.
 */
import type { Command } from 'commander'
import { address, decimalNumber, namedNumber, wholeNumber } from './argumentParsers.ts'
import { attackCommand } from './attackCommand.ts'
import { describeCommand, usageOutput, withAccount, withJson, withNetwork } from './describeCommand.ts'
import { disputeCommand } from './disputeCommand.ts'
import { engineCommand } from './engineCommand.ts'
import { evaluateCommand } from './evaluateCommand.ts'
import { type Printed, printed } from './printed.ts'
import { privacyCommand } from './privacyCommand.ts'
import { simulateCommand } from './simulateCommand.ts'
import { trainCommand } from './trainCommand.ts'

type Work<O> = (options: O) => Promise<Printed> | Printed

/** Runs what `load` gives with the command's options, and prints what comes of it. */
async function run<O extends { json?: boolean }>(load: () => Promise<Work<O>>, options: O): Promise<void> {
  await printed(options, async () => (await load())(options))
}

const id = wholeNumber(1, 4_294_967_295)
const version = wholeNumber(1)

export function addCommands(program: Command): void {
  program.configureOutput(usageOutput)
  for (const command of [
    statusCommand(),
    doctorCommand(),
    keys(),
    wallet(),
    asset(),
    job(),
    call(),
    why(),
    trainCommand(),
    evaluateCommand(),
    attackCommand(),
    engineCommand(),
    simulateCommand(),
    privacyCommand(),
    disputeCommand(),
  ])
    program.addCommand(command)
}

const statusCommand = (): Command =>
  withNetwork(
    describeCommand('status', 'how the network stands: participants, chain, jobs, models, gateway, ledger'),
  ).action((options) => run(async () => (await import('./status.ts')).status, options))

const doctorCommand = (): Command =>
  withNetwork(
    describeCommand(
      'doctor',
      'look for what is wrong: ports, peers, clock, disk, keys, funds, chain, ledger, gateway; each failure with its remedy',
    ),
  ).action((options) => run(async () => (await import('./doctor.ts')).doctor, options))

function keys(): Command {
  const group = describeCommand('keys', 'key files: 32 secret bytes, readable by their owner only')
  const load = () => import('./keys.ts')
  withJson(below(group, 'new', 'make a key file'))
    .requiredOption('--out <file>', 'file to write; never overwritten')
    .action((options: { out: string; json: boolean }) =>
      run(
        async () =>
          ({ out }) =>
            load().then(({ newKeyFile }) => newKeyFile(out)),
        options,
      ),
    )
  withJson(below(group, 'address', 'the account of a key file; the secret is never shown'))
    .argument('<file>', 'key file')
    .action((file: string, options: { json: boolean }) =>
      run(async () => () => load().then(({ keyAddress }) => keyAddress(file)), options),
    )
  withNetwork(below(group, 'rotate', 'give a node of the network folder a new node key'))
    .argument('<name>', 'participant')
    .action((node: string, options) => run(async () => (await load()).rotateKey, { ...options, node }))
  return group
}

/** Adds a command below `group` and gives it back. */
function below(group: Command, name: string, description: string): Command {
  const command = describeCommand(name, description)
  group.addCommand(command)
  return command
}

const AMOUNT = 'amount: 1.5 counts tokens, 1500000u units'

function wallet(): Command {
  const group = describeCommand('wallet', 'money of an account: balances, channels to gateways, keys for applications')
  const load = () => import('./wallet.ts')
  withAccount(below(group, 'balance', 'what the account holds, and what it can collect'), '').action((options) =>
    run(async () => (await load()).walletBalance, options),
  )
  withAccount(below(group, 'fund', 'play dollars and gas, on an embedded chain only'), '')
    .option('--amount <amount>', AMOUNT, '100')
    .action((options) => run(async () => (await load()).walletFund, options))
  withAccount(below(group, 'send', 'send tokens'), '')
    .requiredOption('--to <address>', 'receiver', address)
    .requiredOption('--amount <amount>', AMOUNT)
    .option('--token <symbol>', "symbol or address; the deployment's first token when left out")
    .action((options) => run(async () => (await load()).walletSend, options))
  withAccount(below(group, 'open-channel', 'deposit money that one gateway can be paid from, call by call'), '')
    .requiredOption('--amount <amount>', AMOUNT)
    .option('--operator <address>', "the gateway's settling key; the one of the network folder when left out", address)
    .option('--token <symbol>', "symbol or address; the deployment's first token when left out")
    .option('--name <text>', 'makes opening repeatable: the same name finds the same channel')
    .option(
      '--delay-seconds <n>',
      'how long the gateway may still claim after you asked for the rest',
      wholeNumber(0, 4_294_967_295),
      3_600,
    )
    .action((options) => run(async () => (await load()).walletOpenChannel, options))
  withAccount(below(group, 'channels', 'the channels the account has opened'), '').action((options) =>
    run(async () => (await load()).walletChannels, options),
  )
  withAccount(below(group, 'api-key', 'a key for an application, which can spend up to a cap of a channel'), '')
    .requiredOption('--channel <id>', 'channel, by the beginning of its id')
    .requiredOption('--cap <amount>', `the most it can spend; ${AMOUNT}`)
    .requiredOption('--out <file>', 'file to write the key to; never overwritten')
    .option('--lane <n>', 'lane of the channel; the first unused one when left out', wholeNumber(1, 4_294_967_295))
    .action((options) => run(async () => (await load()).walletApiKey, options))
  withAccount(
    below(
      group,
      'withdraw',
      'collect all that is owed to the account; with --channel, take the rest of that channel back',
    ),
    '',
  )
    .option('--channel <id>', 'channel, by the beginning of its id')
    .action((options) => run(async () => (await load()).walletWithdraw, options))
  return group
}

function asset(): Command {
  const group = describeCommand('asset', 'datasets and models with their terms')
  const load = () => import('./asset.ts')
  withAccount(
    below(group, 'register', 'register public content; a private table is registered by its own node (README)'),
    '',
  )
    .option('--file <file>', 'text, UTF-8')
    .option('--table <file>', 'heart disease table, checked line by line')
    .option('--licence <text>', 'what others may do, in words; needed')
    .option('--name <text>', "name; the file's when left out")
    .option('--description <text>', 'what it is', '')
    .option('--source <text>', 'where it comes from', '')
    .option('--purposes <list>', 'what is granted: some of TRAIN, EVALUATE, DERIVE, SERVE, COMMERCIAL, or all', 'all')
    .option(
      '--residency <list>',
      'where it may be worked on: countries such as DE, and EU or EEA; anywhere when left out',
    )
    .option(
      '--min-share-ppm <n>',
      'least part of the income of a model made with it, in millionths',
      wholeNumber(0, 1_000_000),
      50_000,
    )
    .option('--train-price <amount>', `price of one training; ${AMOUNT}`, '0')
    .option(
      '--store <folder>',
      "folder of the node that serves the content; with --as, that participant's own when left out",
    )
    .action((options) => run(async () => (await load()).assetRegister, options))
  withNetwork(below(group, 'show', 'terms, licence, parents, contributors and income of a version'))
    .argument('<version>', 'number of the version', version)
    .action((number: number, options) => run(async () => (await load()).assetShow, { ...options, version: number }))
  withNetwork(below(group, 'list', 'all versions')).action((options) =>
    run(async () => (await load()).assetList, options),
  )
  return group
}

function job(): Command {
  const group = describeCommand('job', 'training jobs: order, follow, publish')
  const load = () => import('./job.ts')
  withAccount(below(group, 'create', 'fund a job from a file (the README lists its fields)'), 'builder')
    .requiredOption('--file <file>', 'job file, YAML or JSON')
    .option('--store <folder>', "folder of the node that serves the job's document; that of --as when left out")
    .option('--unfilled', 'fund it even if too few nodes could take part now', false)
    .action((options) => run(async () => (await import('./jobCreate.ts')).jobCreate, options))
  withAccount(below(group, 'run', 'create, start, follow and publish the job of a file in one go'), 'builder')
    .argument('<file>', 'job file, YAML or JSON (the README lists its fields)')
    .option('--store <folder>', "folder of the node that serves the job's document; that of --as when left out")
    .option('--unfilled', 'fund it even if too few nodes could take part now', false)
    .option('--wait-seconds <n>', 'how long to wait for nodes to enrol', wholeNumber(1, 604_800), 300)
    .action((file: string, options) => run(async () => (await import('./jobRun.ts')).jobRun, { ...options, file }))
  withNetwork(below(group, 'list', 'all jobs')).action((options) => run(async () => (await load()).jobList, options))
  withNetwork(below(group, 'show', 'round, claims and outcomes of a job'))
    .argument('<id>', 'job', id)
    .action((number: number, options) => run(async () => (await load()).jobShow, { ...options, job: number }))
  withNetwork(below(group, 'watch', 'follow a job to its end'))
    .argument('<id>', 'job', id)
    .action((number: number, options) => run(async () => (await load()).jobWatch, { ...options, job: number }))
  withNetwork(below(group, 'report', 'write what a job did, with pictures: loss, bytes, weights, audits, pay'))
    .argument('<id>', 'job', id)
    .requiredOption('--out <folder>', 'where report.html, log.jsonl and tensorboard/ go')
    .option('--threads <n>', 'threads; as many as the machine has when left out', wholeNumber(1, 1_024))
    .action((number: number, options) =>
      run(async () => (await import('./jobReport.ts')).jobReport, { ...options, job: number }),
    )
  for (const [step, description] of [
    ['start', 'start a job whose members have enrolled'],
    ['publish', 'register the model of a job that is done'],
    ['refund', 'give the builder back what the job did not pay out'],
    ['cancel', 'call off a job that has not started; its builder alone can'],
  ] as const) {
    withAccount(below(group, step, description), 'builder')
      .argument('<id>', 'job', id)
      .action((number: number, options) => run(async () => (await load()).jobStep, { ...options, job: number, step }))
  }
  return group
}

const call = (): Command =>
  withNetwork(describeCommand('call', 'one paid call of a model: text after a prompt, or predictions for rows'))
    .argument('[prompt]', 'text to go on from')
    .option('--model <name>', 'model; the newest of the kind wanted when left out')
    .option('--key <file>', 'pay with the API key in this file')
    .option('--wallet <file>', 'pay with vouchers of this account, from a channel that is opened when there is none')
    .option('--deposit <amount>', `first deposit of that channel; ${AMOUNT}`, '1')
    .option('--max-price <amount>', `the most this call may cost with --wallet; ${AMOUNT}`, '1')
    .option('--max-tokens <n>', 'the most characters to write', wholeNumber(1, 1_000_000), 120)
    .option('--temperature <t>', '0 always takes the likeliest character', decimalNumber(0, 2), 0.7)
    .option('--seed <n>', 'the same seed writes the same text', wholeNumber(0))
    .option('--stream', 'show the text as it is written', false)
    .option('--input <name=value>', 'one value of the row to predict; again for each', namedNumber)
    .option('--rows <file>', 'rows to predict: comma-separated, the first line names the columns')
    .action((prompt: string | undefined, options) =>
      run(async () => (await import('./call.ts')).call, { ...options, prompt }),
    )

const why = (): Command =>
  withNetwork(
    describeCommand(
      'why',
      'why something was paid, or not: from the call back to the data, and on to everybody who had a part',
    ),
  )
    .argument('<subject>', 'transaction, request hash, account, participant, job/ID[/ROUND][/WORKER] or version/ID')
    .option('--depth <n>', 'levels shown', wholeNumber(1, 100), 8)
    .option('--width <n>', 'branches shown at each', wholeNumber(1, 1_000), 4)
    .action((subject: string, options) => run(async () => (await import('./why.ts')).why, { ...options, subject }))
