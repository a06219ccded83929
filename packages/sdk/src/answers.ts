/** OpenAI's and the Open Inference Protocol's shapes, as far as the gateways of this network speak them. */
import type { Hex } from '@potluck/protocol'

type Common = {
  model: string
  max_tokens?: number
  temperature?: number
  seed?: number
  stop?: string | string[]
  user?: string
}
export type CompletionBody = Common & { prompt: string }
export type ChatBody = Common & { messages: { role: 'system' | 'developer' | 'user' | 'assistant'; content: string }[] }

export type Tensor = { name: string; shape: number[]; datatype: string; data: (number | boolean)[] }
export type InferBody = { id?: string; inputs: Tensor[] }

export type Usage = { prompt_tokens: number; completion_tokens: number; total_tokens: number }
type Head = { id: string; object: string; created: number; model: string }
export type Completion = Head & {
  choices: { index: number; text: string; finish_reason: string | null }[]
  usage: Usage
}
export type ChatCompletion = Head & {
  choices: { index: number; message: { role: string; content: string }; finish_reason: string | null }[]
  usage: Usage
}
export type CompletionChunk = Head & { choices: { index: number; text: string; finish_reason: string | null }[] }
export type ChatChunk = Head & {
  choices: { index: number; delta: { role?: string; content?: string }; finish_reason: string | null }[]
}
export type InferAnswer = { model_name: string; model_version: string; id: string; outputs: Tensor[] }

/** What a call cost: token units promised for it, in decimal digits since answers go into JSON, and the hash that its receipt names. */
export type Paid<T> = T & { potluck: { paid: string; requestHash: Hex } }
