import { PotluckError } from '@potluck/protocol'
import { windowCount } from '../program/Program.ts'
import type { CnnConfig, GptConfig, LlamaConfig, Lora, MlpConfig, ModelConfig } from './ModelConfig.ts'

// 2^31: element indices are 32-bit integers in a program.
const most = 0x7fffffff

const refuse = (field: string, allowed: string, value: unknown): never => {
  throw new PotluckError('BAD_CONFIG', `${field} must be ${allowed}, got ${JSON.stringify(value) ?? value}`, { field })
}

function whole(fields: Readonly<Record<string, unknown>>, least = 1): void {
  for (const [field, value] of Object.entries(fields)) {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      refuse(field, `whole and ${least} to ${most}`, value)
    }
  }
}

function extents(field: string, values: unknown): void {
  if (!Array.isArray(values)) refuse(field, 'a list', values)
  for (const [i, value] of (values as unknown[]).entries()) whole({ [`${field}[${i}]`]: value })
}

function share(field: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value < 1)) refuse(field, 'at least 0 and below 1', value)
}

function flag(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') refuse(field, 'true or false', value)
}

const activationNames = ['relu', 'reluSquared', 'silu', 'gelu', 'tanh', 'sigmoid']
const llamaMatrices = ['query', 'key', 'value', 'out', 'gate', 'up', 'down']

/** Throws BAD_CONFIG with the field, what it must be and the value seen. A config from outside may be passed as is. */
export function checkModelConfig(config: ModelConfig): void {
  if (typeof config !== 'object' || config === null) refuse('config', 'an object', config)
  switch (config.kind) {
    case 'logistic':
      whole({ inputs: config.inputs })
      whole({ classes: config.classes }, 2)
      break
    case 'mlp':
      checkMlp(config)
      break
    case 'cnn':
      checkCnn(config)
      break
    case 'llama':
      checkSequence(config)
      checkLlama(config)
      break
    case 'gpt':
      checkSequence(config)
      if (config.hidden !== undefined) whole({ hidden: config.hidden })
      flag('bias', config.bias)
      share('dropout', config.dropout)
      break
    default:
      refuse('kind', 'one of logistic, mlp, cnn, llama, gpt', (config as { kind?: unknown }).kind)
  }
}

function checkMlp({ inputs, hidden, activation, dropout, classes, regression }: MlpConfig): void {
  whole({ inputs })
  extents('hidden', hidden)
  if (!activationNames.includes(activation)) refuse('activation', `one of ${activationNames.join(', ')}`, activation)
  share('dropout', dropout)
  if ((classes === undefined) === (regression === undefined)) {
    refuse('classes or regression', 'given, one of them', { classes, regression })
  }
  if (classes === undefined) whole({ regression })
  else whole({ classes }, 2)
}

function checkLlama({ width, heads, hidden, ropeBase = 10_000, lora }: LlamaConfig): void {
  whole({ hidden })
  if (width % (2 * heads) !== 0) {
    refuse('width', `a multiple of 2·heads = ${2 * heads} (rotary positions turn pairs)`, width)
  }
  if (!(ropeBase > 1 && ropeBase < 1e12)) refuse('ropeBase', 'above 1 and below 10^12', ropeBase)
  if (lora !== undefined) checkLora(lora)
}

function checkSequence({ vocabulary, context, width, layers, heads, tie }: LlamaConfig | GptConfig): void {
  whole({ vocabulary, context, width, layers, heads })
  if (width % heads !== 0) refuse('width', `a multiple of heads = ${heads}`, width)
  flag('tie', tie)
}

function checkLora({ rank, alpha, matrices }: Lora): void {
  whole({ 'lora.rank': rank })
  if (!(alpha > 0 && alpha < 1e6)) refuse('lora.alpha', 'above 0', alpha)
  const isListed = Array.isArray(matrices) && matrices.length > 0 && new Set(matrices).size === matrices.length
  if (!isListed || !matrices.every((name) => llamaMatrices.includes(name))) {
    refuse('lora.matrices', `at least one of ${llamaMatrices.join(', ')}, each once`, matrices)
  }
}

function checkCnn({ height, width, channels, convolutions, hidden, classes, dropout }: CnnConfig): void {
  whole({ height, width, channels })
  whole({ classes }, 2)
  extents('hidden', hidden)
  share('dropout', dropout)
  if (!Array.isArray(convolutions) || convolutions.length === 0)
    refuse('convolutions', 'a list of one or more', convolutions)
  let [h, w] = [height, width]
  convolutions.forEach((layer, i) => {
    const at = `convolutions[${i}]`
    whole({ [`${at}.channels`]: layer.channels, [`${at}.kernel`]: layer.kernel })
    whole({ [`${at}.stride`]: layer.stride, [`${at}.pool`]: layer.pool })
    whole({ [`${at}.padding`]: layer.padding }, 0)
    if (layer.padding >= layer.kernel) refuse(`${at}.padding`, `below the kernel, ${layer.kernel}`, layer.padding)
    const size = (extent: number): number => Math.floor(windowCount(extent, layer.kernel, layer) / layer.pool)
    const before = `${h}×${w}`
    h = size(h)
    w = size(w)
    if (h < 1 || w < 1) refuse(at, `small enough to leave something of ${before}`, layer)
  })
}
