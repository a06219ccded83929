/** What `potluck train` takes; what it does stands in train.ts and is loaded when it runs. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { decimalNumber, wholeNumber } from './argumentParsers.ts'
import { withDataOptions } from './dataOptions.ts'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

/** A learning rate: a number above 0, at most 100, exponents allowed. */
function rate(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e-?\d{1,2})?$/i.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value <= 100) return value
  throw new InvalidArgumentError(`got ${JSON.stringify(text.slice(0, 80))}; write a number above 0 and up to 100.`)
}

const count = wholeNumber(1, 10_000_000)

/** What makes a training one of several participants. Settings of several parts are read where the data is known. */
function addFederatedOptions(command: Command): void {
  command
    .optionsGroup('Several participants on this machine:')
    .option(
      '--clients <n>',
      'divide the data among so many participants and train a common model',
      wholeNumber(1, 100_000),
    )
    .option('--partition <how>', 'iid, dirichlet:ALPHA, labels:K or by-column:COLUMN (default: "iid")')
    .option('--rounds <n>', 'rounds; the usual for the data when left out', count)
    .option('--local-steps <n>', 'steps of a participant in a round (default: 20)', count)
    .option('--per-round <n>', 'participants drawn for a round; all when left out', count)
    .option('--buffered <k>', 'no rounds: every K-th delivery makes a step; K or K:STALENESS, at simulated speeds')
    .option(
      '--rule <rule>',
      'how updates become one: mean, weighted, median, trimmed:SHARE, krum:ATTACKERS, geometric, clip:RADIUS, reference, … (default: weighted; reference where there are public rows)',
    )
    .option('--reference <n>', 'rows that everybody may see, for the rule reference; not trained on', count)
    .option('--compress <codec>', 'none, dense8, dense4, dense2 or topk:KEEP[:FEEDBACK] (default: "none")')
    .option('--outer <optimizer>', 'how the model moves: sgd, nesterov:0.5@0.7, adam, yogi, adagrad (default: "sgd")')
    .option('--method <method>', 'plain, fedprox[:MU], scaffold[:SHARE] or scaled-scaffold[:SHARE] (default: "plain")')
    .option(
      '--masks <group>',
      'sums in groups of so many, 3 at least: nobody sees a single update',
      wholeNumber(3, 65_535),
    )
    .option('--noise <clip/multiplier>', 'noise that hides a whole participant; the privacy spent is printed')
    .option('--delta <d>', 'chance with which that promise may fail (default: 1e-5)', rate)
    .option(
      '--epsilon <most>',
      'the most privacy the run may spend: refused before it starts otherwise',
      decimalNumber(0.001, 1_000),
    )
    .option('--personal-head', 'the last layer stays with each participant, for data that differ by site')
    .option('--attackers <share:attack>', 'participants that lie, such as 0.4:sign-flip, to see what the rule does')
}

export function trainCommand(): Command {
  const command = describeCommand(
    'train',
    'train a model on this machine alone: on a text, a table or images; with --clients among several participants',
  )
    .option('--text <file>', 'a text, UTF-8')
    .option('--csv <file>', 'a table: comma, semicolon or tab')
    .option('--target <column>', 'of a table: the column to predict, by name, or by number from 1')
    .option('--images <file>', 'images in an IDX file; any file may be gzipped')
    .option('--labels <file>', 'of images: their labels in an IDX file')
    .option('--test <file>', 'a text or table to test on, never trained on')
    .option('--test-images <file>', 'images to test on')
    .option('--test-labels <file>', 'and their labels')
    .option(
      '--model <config>',
      'logistic, mlp, cnn, llama or gpt, or a file with a config; the usual for the data when left out',
    )
    .option('--base <folder>', 'a trained model of texts to go on from: a folder that train --text wrote')
    .option('--lora <rank:alpha>', 'train low-rank adapters on that base instead of its weights, such as 8:16')
    .option('--teacher <folder>', 'a trained model of a table or images whose answers a small mlp learns')
    .option('--out <folder>', 'where checkpoints, log and the finished files go', 'trained')
    .option('--resume', 'go on from the checkpoint in that folder, to the same bits', false)
    .option('--overwrite', 'start anew in a folder that holds a run', false)
    .option(
      '--checkpoint-every <n>',
      'steps, or rounds, between two checkpoints; 0 only at the end (default: 100 steps, or by the size of the state)',
      wholeNumber(0, 10_000_000),
    )
    .option('--stop-after <n>', 'stop after this step, or round, to go on with --resume', count)
    .option('--steps <n>', 'steps; the usual for the data when left out', count)
    .option('--batch <n>', 'rows, images or windows a step', wholeNumber(1, 1_000_000))
    .option('--rate <r>', 'highest learning rate', rate)
    .addOption(new Option('--optimizer <name>', 'how parameters move').choices(['adamw', 'sgd', 'muon']))
    .option('--recompute', 'compute layers again instead of keeping them: less memory, more time, the same bits', false)
    .option('--evaluate-every <n>', 'steps, or rounds, between two evaluations', count)
    .option('--valid <per cent>', 'part of the data set aside for validation', decimalNumber(0.1, 90))
    .option('--seed <n>', 'decides the split, the start and the order of the data', wholeNumber(0), 1)
  withJson(withDataOptions(command))
  addFederatedOptions(command)
  return command.action(async (options) => {
    await printed(options, async () => (await import('./train.ts')).train(options))
  })
}
