import { readFileSync } from 'node:fs'
import { PotluckError } from '@potluck/protocol'
import { parse } from 'yaml'

/** A config as a person writes it: some fields left to the data. */
export type WrittenConfig = { readonly kind: string } & Readonly<Record<string, unknown>>

export const modelKinds = ['logistic', 'mlp', 'cnn', 'llama', 'gpt'] as const
export type ModelKind = (typeof modelKinds)[number]

/** What `--model` names: a kind, or a file (YAML or JSON) with a kind and the fields that shall not be the usual. */
export function readModelFile(model: string): WrittenConfig {
  if ((modelKinds as readonly string[]).includes(model)) return { kind: model }
  let text: string
  try {
    text = readFileSync(model, 'utf8')
  } catch (cause) {
    const message = `--model ${model}: ${(cause as Error).message}; name one of ${modelKinds.join(', ')}, or a file with a config`
    throw new PotluckError('FILE_MISSING', message, { file: model }, { cause })
  }
  return parseModelFile(text, model)
}

/** Throws BAD_CONFIG for text that is no YAML object with a known `kind`. */
export function parseModelFile(text: string, file: string): WrittenConfig {
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw new PotluckError(
      'BAD_CONFIG',
      `${file} is neither YAML nor JSON: ${(cause as Error).message}`,
      { file },
      { cause },
    )
  }
  const refuse = (why: string): PotluckError =>
    new PotluckError('BAD_CONFIG', `${file}: ${why}; write kind: ${modelKinds.join(' | ')} and its fields`, { file })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('expected fields with values')
  const { kind } = value as { kind?: unknown }
  if (typeof kind !== 'string' || !(modelKinds as readonly string[]).includes(kind)) {
    throw refuse(`kind is ${JSON.stringify(kind ?? null)}`)
  }
  return value as WrittenConfig
}
