import type { ChatChunk, CompletionChunk } from './answers.ts'

type Chunk = CompletionChunk | ChatChunk

export const textOf = (chunk: Chunk): string =>
  chunk.choices.map((choice) => ('delta' in choice ? (choice.delta.content ?? '') : choice.text)).join('')

/** The chunk without its first `count` characters, or undefined when it says nothing more. */
export function dropText<C extends Chunk>(chunk: C, count: number): C | undefined
export function dropText(chunk: Chunk, count: number): Chunk | undefined {
  if (count === 0) return chunk
  const rest = textOf(chunk).slice(count)
  const isLast = chunk.choices.some((choice) => choice.finish_reason !== null)
  if (rest === '' && !isLast) return undefined
  const [choice] = chunk.choices
  if (!choice) return chunk
  const changed =
    'delta' in choice ? { ...choice, delta: { ...choice.delta, content: rest } } : { ...choice, text: rest }
  return { ...chunk, choices: [changed] } as Chunk
}
