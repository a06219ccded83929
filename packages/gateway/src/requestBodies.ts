/**
 * What callers send, checked at the edge. A parameter that would change the answer and that we do not carry out is refused, not ignored;
 * one that cannot change it (user, metadata) is taken.
 */
import { z } from 'zod'
import { ApiError } from './ApiError.ts'

const neutral = {
  user: z.string().max(1_000).optional(),
  metadata: z.record(z.string()).nullish(),
  store: z.literal(false).nullish(),
  n: z.literal(1).nullish(),
  top_p: z.literal(1).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
}
const stop = z.union([z.string().min(1).max(100), z.array(z.string().min(1).max(100)).max(4)]).nullish()
const tokens = z.number().int().min(1).max(1_000_000).nullish()
const common = {
  model: z.string().min(1).max(200),
  temperature: z.number().min(0).max(2).nullish(),
  seed: z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).nullish(),
  stop,
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .strict()
    .nullish(),
  max_tokens: tokens,
  ...neutral,
}
const text = z.string().max(200_000)

export const completionBody = z
  .object({
    ...common,
    prompt: z.union([text, z.array(text).length(1, 'one prompt a call')]),
    echo: z.literal(false).nullish(),
    best_of: z.literal(1).nullish(),
    logprobs: z.null().optional(),
    suffix: z.null().optional(),
  })
  .strict()

const part = z.object({ type: z.literal('text'), text }).strict()
const message = z
  .object({
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content: z.union([text, z.array(part).min(1).max(100)]),
    name: z.string().max(100).optional(),
  })
  .strict()

export const chatBody = z
  .object({
    ...common,
    messages: z.array(message).min(1).max(500),
    max_completion_tokens: tokens,
    logprobs: z.literal(false).nullish(),
    response_format: z.object({ type: z.literal('text') }).nullish(),
  })
  .strict()

const cell = z.union([z.number().finite(), z.boolean().transform(Number)])
const tensor = z
  .object({
    name: z.string().min(1).max(100),
    shape: z.array(z.number().int().min(0)).min(1).max(2),
    datatype: z.enum([
      'FP64',
      'FP32',
      'INT64',
      'INT32',
      'INT16',
      'INT8',
      'UINT64',
      'UINT32',
      'UINT16',
      'UINT8',
      'BOOL',
    ]),
    data: z.array(cell).max(65_536),
    parameters: z.record(z.unknown()).optional(),
  })
  .strict()

/** The Open Inference Protocol's request: one tensor a column, of shape [R] or [R, 1]. */
export const inferBody = z
  .object({
    id: z.string().max(200).optional(),
    inputs: z.array(tensor).min(1).max(1_000),
    outputs: z.array(z.object({ name: z.string().max(100) }).passthrough()).optional(),
    parameters: z.record(z.unknown()).optional(),
  })
  .strict()
export type InferBody = z.infer<typeof inferBody>

/** What a language request comes to, whatever route it came by. */
export type TextRequest = {
  model: string
  prompt: string | { role: string; content: string }[]
  temperature: number
  seed: number | null
  stop: string[] | null
  maxTokens: number | null
  stream: boolean
  includeUsage: boolean
}

/** The body, or ApiError `bad_request` that names the first field at fault. */
export function parseBody<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const isUnknown = issue?.code === 'unrecognized_keys'
  const param = isUnknown ? issue.keys[0] : issue?.path.join('.')
  const known = issue?.code === 'invalid_literal'
  const code = isUnknown || known ? 'unsupported_parameter' : 'bad_request'
  const says = isUnknown ? 'this gateway has no such parameter: leave it out' : (issue?.message ?? 'not understood')
  throw new ApiError(code, `${param || 'body'}: ${says}`, param ? { param } : {})
}

type Common = {
  model: string
  temperature?: number | null | undefined
  seed?: number | null | undefined
  stop?: string | string[] | null | undefined
  stream?: boolean | null | undefined
  stream_options?: { include_usage?: boolean | undefined } | null | undefined
}

const shared = (body: Common) => ({
  model: body.model,
  temperature: body.temperature ?? 1,
  seed: body.seed ?? null,
  stop: body.stop == null ? null : [body.stop].flat(),
  stream: body.stream ?? false,
  includeUsage: body.stream_options?.include_usage ?? false,
})

export function parseCompletion(raw: unknown): TextRequest {
  const body = parseBody(completionBody, raw)
  const prompt = typeof body.prompt === 'string' ? body.prompt : (body.prompt[0] ?? '')
  return { ...shared(body), prompt, maxTokens: body.max_tokens ?? 16 }
}

export function parseChat(raw: unknown): TextRequest {
  const body = parseBody(chatBody, raw)
  const prompt = body.messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map((item) => item.text).join(''),
  }))
  return { ...shared(body), prompt, maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null }
}
