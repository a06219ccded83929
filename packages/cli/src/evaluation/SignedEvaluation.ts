import { encode } from '@ipld/dag-cbor'
import {
  addressOfSecret,
  fromHex,
  type Hex,
  PotluckError,
  recoverSigner,
  sha256,
  signDigest,
  toHex,
} from '@potluck/protocol'

/** What somebody found a model to be worth on a test set, in a form that names both by their bytes. */
export type EvaluationResult = {
  readonly type: 'potluck-evaluation-1'
  /** SHA-256 of the model's file. */
  readonly model: Hex
  /** SHA-256 of each file of the test set, in order: a table or text; images, labels. */
  readonly testSet: readonly Hex[]
  readonly loss: number
  /** Null for predicted numbers. */
  readonly accuracy: number | null
  /** Rows or tokens. */
  readonly n: number
}

export type SignedEvaluation = EvaluationResult & { readonly evaluator: Hex; readonly signature: Hex }

/** What is signed: SHA-256 of the canonical CBOR of the result with its evaluator. */
function digestOf({ type, model, testSet, loss, accuracy, n }: EvaluationResult, evaluator: Hex): Uint8Array {
  return sha256(encode({ type, model, testSet: [...testSet], loss, accuracy, n, evaluator }))
}

export function signEvaluation(result: EvaluationResult, secret: Uint8Array): SignedEvaluation {
  const evaluator = addressOfSecret(secret)
  return { ...result, evaluator, signature: toHex(signDigest(digestOf(result, evaluator), secret)) }
}

/** Throws BAD_SIGNATURE unless the evaluator it names signed exactly this. */
export function checkEvaluation(signed: SignedEvaluation): void {
  const signer = recoverSigner(digestOf(signed, signed.evaluator), fromHex(signed.signature))
  if (signer === signed.evaluator) return
  const message = `the evaluation names ${signed.evaluator}, its signature is by ${signer}: it was changed after it was signed`
  throw new PotluckError('BAD_SIGNATURE', message, { evaluator: signed.evaluator, signer })
}

/** Reads a signed evaluation. Throws BAD_EVALUATION with what is wrong with its form. */
export function parseEvaluation(text: string, file: string): SignedEvaluation {
  const refuse = (why: string): never => {
    throw new PotluckError('BAD_EVALUATION', `${file}: ${why}; name a file that potluck evaluate --out wrote`, { file })
  }
  let value: Partial<Record<keyof SignedEvaluation, unknown>>
  try {
    value = (JSON.parse(text) ?? {}) as typeof value
  } catch (cause) {
    return refuse(`it is no JSON (${(cause as Error).message})`)
  }
  const isHex = (one: unknown, bytes: number): boolean =>
    typeof one === 'string' && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(one)
  const { type, model, testSet, loss, accuracy, n, evaluator, signature } = value
  if (type !== 'potluck-evaluation-1') refuse(`its type is ${JSON.stringify(type ?? null)}`)
  if (!isHex(model, 32)) refuse('model is no hash')
  if (!Array.isArray(testSet) || testSet.length === 0 || !testSet.every((hash) => isHex(hash, 32)))
    refuse('testSet holds no hashes')
  if (typeof loss !== 'number' || !Number.isFinite(loss)) refuse('loss is no number')
  if (accuracy !== null && typeof accuracy !== 'number') refuse('accuracy is neither a number nor null')
  if (!Number.isSafeInteger(n)) refuse('n is no whole number')
  if (!isHex(evaluator, 20) || !isHex(signature, 65)) refuse('it is not signed')
  return value as SignedEvaluation
}
