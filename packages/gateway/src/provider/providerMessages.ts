/** What a gateway asks a provider, and what it gets (G-20). */
import {
  allocationSchema,
  fields as f,
  fromHex,
  type Hex,
  recoverSigner,
  requestHash,
  signDigest,
  toHex,
} from '@potluck/protocol'
import { z } from 'zod'

const version = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const order = {
  version,
  allocation: allocationSchema,
  requestHash: f.hash,
  gateway: f.address,
  atMs: z.number().int().min(0),
}

export const generateOrder = z
  .object({
    ...order,
    kind: z.literal('generate'),
    prompt: z.string().max(400_000),
    maxTokens: z.number().int().min(1).max(65_536),
    temperature: z.number().min(0).max(2),
    seed: f.hash,
    stop: z.array(z.string().min(1).max(100)).max(4),
  })
  .strict()
export type GenerateOrder = z.infer<typeof generateOrder>

export const predictOrder = z
  .object({
    ...order,
    kind: z.literal('predict'),
    /** One object of named values a row. */
    rows: z
      .array(z.record(z.string().max(100), z.number()))
      .min(1)
      .max(65_536),
  })
  .strict()
export type PredictOrder = z.infer<typeof predictOrder>

const signed = { signature: f.signature }
export const signedGenerateOrder = generateOrder.extend(signed).strict()
export const signedPredictOrder = predictOrder.extend(signed).strict()

const orderDigest = (asked: GenerateOrder | PredictOrder): Uint8Array =>
  fromHex(requestHash('potluck provider order', asked))

/** The order with the signature of the gateway's node key, which the provider asks for. */
export const signOrder = <O extends GenerateOrder | PredictOrder>(
  asked: O,
  secret: Uint8Array,
): O & { signature: Hex } => ({
  ...asked,
  signature: toHex(signDigest(orderDigest(asked), secret)),
})

/** Who signed an order. Throws BAD_SIGNATURE when nobody did. */
export function orderSigner({ signature, ...asked }: (GenerateOrder | PredictOrder) & { signature: Hex }): Hex {
  return recoverSigner(orderDigest(asked), fromHex(signature))
}

/** One line of the stream of `/provider/generate`. */
export const generateLine = z.union([
  z.object({ token: z.string().min(1).max(8) }).strict(),
  z.object({ done: z.enum(['stop', 'length']) }).strict(),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }).strict(),
])

export const predictAnswer = z.object({ rows: z.array(z.array(z.number())) }).strict()

export const providerModel = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('language'), version }).strict(),
  z
    .object({
      kind: z.literal('tabular'),
      version,
      inputs: z.array(z.string().max(100)).max(1_000),
      outputs: z.array(z.string().max(100)).min(1).max(100),
    })
    .strict(),
])
export type ProviderModel = z.infer<typeof providerModel>
export const providerModels = z.object({ models: z.array(providerModel).max(10_000) }).strict()
