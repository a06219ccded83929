import { readFileSync } from 'node:fs'
import { type Evaluation, evaluateModel } from '@potluck/engine'
import { readKey } from '@potluck/node'
import { type Hex, PotluckError } from '@potluck/protocol'
import { loadTestSet, type TestSetOptions } from '../evaluation/loadTestSet.ts'
import { loadTrained } from '../evaluation/loadTrained.ts'
import {
  checkEvaluation,
  type EvaluationResult,
  parseEvaluation,
  type SignedEvaluation,
  signEvaluation,
} from '../evaluation/SignedEvaluation.ts'
import { replaceFile } from '../training/checkpointFile.ts'
import { type ExecutorChoice, openEngine } from '../training/openEngine.ts'
import { shownAccuracy, shownNumber } from '../training/report/TrainingScreen.ts'
import { checkKeyFile } from './checkKeyFile.ts'
import type { Printed } from './printed.ts'

export type EvaluateOptions = TestSetOptions & {
  readonly folder: string
  /** Key file of the evaluator. */
  readonly key?: string
  /** What the test set was committed to before: SHA-256 of each file. */
  readonly committed: readonly Hex[]
  /** A signed evaluation to check: it is computed again. */
  readonly verify?: string
  readonly out?: string
  readonly executor: ExecutorChoice
  readonly threads?: number
}

/**
 * Evaluates a model on a test set, and signs what came of it; or checks somebody else's evaluation by computing it again, which gives
 * the same bits on every machine.
 *
 * @throws PotluckError TEST_SET_CHANGED where the files are not those committed to; OTHER_RESULT where a signed evaluation says something else
 */
export async function evaluate(options: EvaluateOptions): Promise<Printed> {
  const claimed = options.verify === undefined ? undefined : signedIn(options.verify)
  if (options.key !== undefined) checkKeyFile(options.key)
  const trained = loadTrained(options.folder)
  const { data, hashes } = loadTestSet(trained, options)
  const committed = claimed?.testSet ?? options.committed
  if (committed.length > 0 && committed.join() !== hashes.join()) {
    const message = `the test set is ${hashes.join(' ')}, committed was ${committed.join(' ')}: use the very files that were committed to`
    throw new PotluckError('TEST_SET_CHANGED', message, { seen: hashes.join(), committed: committed.join() })
  }
  const engine = await openEngine(options.executor, options.threads)
  try {
    const seen = await evaluateModel(engine, trained.model, { parameters: trained.parameters }, data)
    const result: EvaluationResult = {
      type: 'potluck-evaluation-1',
      model: trained.hash,
      testSet: hashes,
      ...fieldsOf(seen),
    }
    if (claimed) return verified(claimed, result)
    const value = options.key === undefined ? result : signEvaluation(result, readKey(options.key))
    if (options.out !== undefined) replaceFile(options.out, `${JSON.stringify(value, null, 2)}\n`)
    return { value, lines: linesOf(value, options.out) }
  } finally {
    await engine.close()
  }
}

const fieldsOf = ({ loss, accuracy, n }: Evaluation) => ({ loss, accuracy, n })

function signedIn(file: string): SignedEvaluation {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new PotluckError('FILE_MISSING', `--verify ${file}: ${(cause as Error).message}`, { file }, { cause })
  }
  const signed = parseEvaluation(text, file)
  checkEvaluation(signed)
  return signed
}

function verified(claimed: SignedEvaluation, seen: EvaluationResult): Printed {
  const fields = ['model', 'n', 'loss', 'accuracy'] as const
  const other = fields.find((field) => claimed[field] !== seen[field])
  if (other !== undefined) {
    const message = `${claimed.evaluator} signed ${other} ${claimed[other]}, it is ${seen[other]}: the evaluation is of another model, or wrong`
    throw new PotluckError('OTHER_RESULT', message, { field: other })
  }
  return {
    value: { ...claimed, isRight: true },
    lines: [...linesOf(claimed, undefined), 'computed again: the same to the bit'],
  }
}

const linesOf = (value: EvaluationResult | SignedEvaluation, out: string | undefined): string[] => [
  `loss ${shownNumber(value.loss)}${shownAccuracy(value.accuracy)} on ${value.n} rows or tokens`,
  `model ${value.model}`,
  ...value.testSet.map((hash) => `test set ${hash}`),
  ...('evaluator' in value ? [`signed by ${value.evaluator}`] : ['not signed: name a key file with --key']),
  ...(out === undefined ? [] : [`wrote ${out}`]),
]
