/** OpenAI's response shapes, for whole answers and for chunks of a stream. */
export type AnswerHead = { id: string; created: number; model: string; isChat: boolean }
export type Usage = { promptTokens: number; completionTokens: number }

const usageOf = ({ promptTokens, completionTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
})

// OpenAI knows stop and length; an answer cut by a crash or a missing voucher ended by length too.
const reason = (finish: string): 'stop' | 'length' => (finish === 'stop' ? 'stop' : 'length')

const headOf = ({ id, created, model, isChat }: AnswerHead, isChunk: boolean) => ({
  id: isChat ? `chatcmpl-${id}` : `cmpl-${id}`,
  object: isChat ? (isChunk ? 'chat.completion.chunk' : 'chat.completion') : 'text_completion',
  created,
  model,
})

export function wholeAnswer(head: AnswerHead, text: string, finish: string, usage: Usage) {
  const end = { index: 0, logprobs: null, finish_reason: reason(finish) }
  const choice = head.isChat
    ? { ...end, message: { role: 'assistant', content: text, refusal: null } }
    : { ...end, text }
  return { ...headOf(head, false), choices: [choice], usage: usageOf(usage) }
}

/** A piece of a streamed answer. The first of a chat names the role; the last has `finish` and no text. */
export function answerChunk(
  head: AnswerHead,
  piece: { text: string; isFirst: boolean; finish: string | null },
  includeUsage: boolean,
) {
  const end = { index: 0, logprobs: null, finish_reason: piece.finish === null ? null : reason(piece.finish) }
  const role = piece.isFirst ? { role: 'assistant' } : {}
  const delta = piece.finish === null ? { ...role, content: piece.text } : {}
  const choice = head.isChat ? { ...end, delta } : { ...end, text: piece.text }
  return { ...headOf(head, true), choices: [choice], ...(includeUsage ? { usage: null } : {}) }
}

/** The extra last chunk that `stream_options.include_usage` asks for. */
export const usageChunk = (head: AnswerHead, usage: Usage) => ({
  ...headOf(head, true),
  choices: [],
  usage: usageOf(usage),
})
