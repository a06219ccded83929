import type { Hex } from '@potluck/protocol'
import type { ProviderPool, TextOrder } from './ProviderPool.ts'

/** Characters of an answer that are paid for together. `finish` is set on the last. */
export type AnswerStep = { text: string; tokens: number; provider: Hex; finish: 'stop' | 'length' | null }

/** An answer in steps of at most `stepTokens` tokens, each by one provider; the last may be empty. */
export async function* answerSteps(
  pool: ProviderPool,
  order: TextOrder,
  stepTokens: number,
  options: { passed: string; prefer: Hex | undefined; signal: AbortSignal },
): AsyncGenerator<AnswerStep, void> {
  let text = ''
  let tokens = 0
  let provider: Hex | undefined
  for await (const event of pool.generate(order, options)) {
    if (provider !== undefined && event.provider !== provider && tokens > 0) {
      yield { text, tokens, provider, finish: null }
      text = ''
      tokens = 0
    }
    provider = event.provider
    if ('done' in event) {
      yield { text, tokens, provider, finish: event.done }
      return
    }
    text += event.token
    tokens++
    if (tokens === stepTokens) {
      yield { text, tokens, provider, finish: null }
      text = ''
      tokens = 0
    }
  }
}
