import { checkModelConfig, type ModelConfig } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { DataShape } from './LoadedData.ts'
import { type ModelKind, modelKinds, type WrittenConfig } from './readModelFile.ts'

/** Tables below so many rows get a linear model: more units would learn them by heart. */
const FEW_ROWS = 1_000

const kindsFor: Readonly<Record<DataShape['kind'], readonly ModelKind[]>> = {
  text: ['llama', 'gpt'],
  table: ['logistic', 'mlp'],
  images: ['cnn', 'mlp', 'logistic'],
}

/** Fields a config of each kind may have: a slip of the keyboard must not pass as a default. */
const fieldsOf: Readonly<Record<ModelKind, readonly string[]>> = {
  logistic: ['inputs', 'classes'],
  mlp: ['inputs', 'classes', 'regression', 'hidden', 'activation', 'dropout'],
  cnn: ['height', 'width', 'channels', 'classes', 'convolutions', 'hidden', 'dropout'],
  llama: ['vocabulary', 'context', 'width', 'layers', 'heads', 'hidden', 'ropeBase', 'tie'],
  gpt: ['vocabulary', 'context', 'width', 'layers', 'heads', 'hidden', 'bias', 'tie', 'dropout'],
}

/**
 * The config of the model to train: what was written, then what the data says, then the usual for data of this kind and size.
 *
 * @throws PotluckError BAD_CONFIG (unknown field or value, a kind that does not suit the data), SHAPE where a written extent differs from the data's
 */
export function chooseConfig(shape: DataShape, written?: WrittenConfig): ModelConfig {
  const kind = kindOf(shape, written)
  const fromData = extentsOf(shape, kind)
  const { kind: _, ...fields } = written ?? { kind }
  for (const [name, value] of Object.entries(fields)) {
    if (!fieldsOf[kind].includes(name)) {
      const message = `a ${kind} model has no field ${name.slice(0, 40)}; it has ${fieldsOf[kind].join(', ')}`
      throw new PotluckError('BAD_CONFIG', message, { field: name.slice(0, 40) })
    }
    const seen = fromData[name]
    // A vocabulary may be larger than the data's: ids that never come do no harm.
    const isRoomier = (name === 'vocabulary' || name === 'classes') && Number(value) > Number(seen)
    if (seen !== undefined && seen !== value && !isRoomier) {
      const message = `the config says ${name} ${JSON.stringify(value)}, the data has ${seen}: leave the field out, or use data that fits`
      throw new PotluckError('SHAPE', message, { field: name, seen })
    }
  }
  checkDepth(fields)
  const config = { kind, ...usual(kind, shape), ...fromData, ...fields } as ModelConfig
  checkModelConfig(config)
  return config
}

/** Layers more than any model here has use for: a program of each is written, so that a slip of the keyboard would fill the memory. */
const MOST_LAYERS = 512

function checkDepth({ layers, hidden, convolutions }: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries({ layers, hidden, convolutions })) {
    const depth = Array.isArray(value) ? value.length : field === 'layers' && typeof value === 'number' ? value : 0
    if (depth <= MOST_LAYERS) continue
    const message = `${field}: ${depth} layers, ${MOST_LAYERS} at most; take fewer and make them wider`
    throw new PotluckError('BAD_CONFIG', message, { field, seen: depth })
  }
}

function kindOf(shape: DataShape, written?: WrittenConfig): ModelKind {
  const suited = kindsFor[shape.kind].filter((kind) => kind !== 'logistic' || !isRegression(shape))
  const kind = modelKinds.find((one) => one === written?.kind)
  if (kind === undefined) {
    if (shape.kind !== 'table') return suited[0]!
    return shape.rows < FEW_ROWS && !isRegression(shape) ? 'logistic' : 'mlp'
  }
  if (suited.includes(kind)) return kind
  const what = isRegression(shape) ? 'a number to predict' : shape.kind
  throw new PotluckError('BAD_CONFIG', `a ${kind} model cannot be trained on ${what}: use ${suited.join(' or ')}`, {
    kind,
  })
}

const isRegression = (shape: DataShape): boolean => shape.kind === 'table' && shape.classes === null

/** What the data fixes. */
function extentsOf(shape: DataShape, kind: ModelKind): Record<string, number> {
  if (shape.kind === 'text') return { vocabulary: shape.vocabulary }
  if (shape.kind === 'table') {
    return { inputs: shape.inputs, ...(shape.classes === null ? { regression: 1 } : { classes: shape.classes }) }
  }
  const { height, width, channels, classes } = shape
  return kind === 'cnn' ? { height, width, channels, classes } : { inputs: height * width * channels, classes }
}

/** What suits most data of the kind. */
function usual(kind: ModelKind, shape: DataShape): Record<string, unknown> {
  switch (kind) {
    case 'logistic':
      return {}
    case 'mlp':
      return shape.kind === 'table' && shape.rows < FEW_ROWS
        ? { hidden: [], activation: 'relu' }
        : { hidden: hiddenUnits(shape), activation: 'relu', dropout: 0.1 }
    case 'cnn':
      return { convolutions: convolutionsFor(shape), hidden: [64], dropout: 0.25 }
    case 'llama':
      return { context: contextFor(shape), width: 128, layers: 4, heads: 4, hidden: 344 }
    case 'gpt':
      return { context: contextFor(shape), width: 128, layers: 4, heads: 4 }
  }
}

const hiddenUnits = (shape: DataShape): number[] => (shape.kind === 'images' ? [128] : [64, 32])

/** Two convolutions with pooling where the image is large enough for them. */
function convolutionsFor(shape: DataShape): unknown[] {
  if (shape.kind !== 'images') return []
  const small = Math.min(shape.height, shape.width)
  const layer = (channels: number, kernel: number, pool: number) => ({
    channels,
    kernel,
    stride: 1,
    padding: (kernel - 1) / 2,
    pool,
  })
  if (small >= 16) return [layer(8, 5, 2), layer(16, 5, 2)]
  return small >= 4 ? [layer(16, 3, 2)] : [layer(16, 1, 1)]
}

/** 64 tokens, fewer where a part of the text is too short for such a window and its successor. */
const contextFor = (shape: DataShape): number => (shape.kind === 'text' ? Math.min(64, shape.shortest - 1) : 64)
