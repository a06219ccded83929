export type ChatMessage = { role: string; content: string }

/** Ends a turn of a rendered chat, and with it the answer when the caller names no other stop. */
export const TURN_END = '\n\n'

/**
 * The prompt a plain character model continues for a chat (G-07):
 *
 *   user:⏎To be, or not?⏎⏎assistant:⏎
 *
 * Each message is its role, a colon, its text, and an empty line; then the answer's role. It is how plays are set, so a model of plays
 * continues it, and uses no character that such a model lacks.
 */
export function renderChat(messages: readonly ChatMessage[]): string {
  const turns = messages.map(({ role, content }) => `${role}:\n${content.trim()}${TURN_END}`)
  return `${turns.join('')}assistant:\n`
}

/** Characters as the model counts them: one code point is one token. */
export const countTokens = (text: string): number => [...text].length
