import { concatBytes, equalBytes, PotluckError, utf8 } from '@potluck/protocol'
import type { LogisticModel } from './logisticModel.ts'

// 'PLLM' and the version of the layout.
const magic = Uint8Array.of(0x50, 0x4c, 0x4c, 0x4d, 1)
const mostInputs = 4096
const longestName = 255

function text(value: string): Uint8Array {
  const bytes = utf8(value)
  if (bytes.length === 0 || bytes.length > longestName) {
    throw new PotluckError('BAD_MODEL', `a name must have 1 to ${longestName} bytes, got ${bytes.length}`)
  }
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

function numbers(values: readonly number[]): Uint8Array {
  const out = new Uint8Array(8 * values.length)
  const view = new DataView(out.buffer)
  values.forEach((value, i) => {
    view.setFloat64(8 * i, value === 0 ? 0 : value) // one zero, not two
  })
  return out
}

/**
 * The model as bytes, one form for each model (L-19): magic and version, schema name, count of inputs (u16), their names, means,
 * deviations, weights with the intercept last. Names are a length byte and UTF-8; numbers are f64, big-endian.
 *
 * @throws PotluckError BAD_MODEL when the parts do not fit together or hold a number that is not finite
 */
export function encodeLogisticModel(model: LogisticModel): Uint8Array {
  checkModel(model)
  const count = model.inputs.length
  return concatBytes(
    magic,
    text(model.schema),
    Uint8Array.of(count >> 8, count & 255),
    ...model.inputs.map(text),
    numbers(model.scaling.mean),
    numbers(model.scaling.sd),
    numbers(model.weights),
  )
}

/**
 * The model these bytes hold. Meant for bytes from strangers: nothing is allocated beyond their own length.
 *
 * @throws PotluckError BAD_MODEL for anything `encodeLogisticModel` would not have written
 */
export function decodeLogisticModel(bytes: Uint8Array): LogisticModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const take = (length: number): number => {
    if (at + length > bytes.length) {
      throw new PotluckError(
        'BAD_MODEL',
        `the model ends at byte ${bytes.length}, needed ${at + length}: fetch it again`,
      )
    }
    at += length
    return at - length
  }
  const takeText = (): string => {
    const length = view.getUint8(take(1))
    const start = take(length)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, start + length))
    } catch (cause) {
      throw new PotluckError('BAD_MODEL', `the name at byte ${start} is not UTF-8`, {}, { cause })
    }
  }
  const takeNumbers = (count: number): number[] => {
    const start = take(8 * count)
    return Array.from({ length: count }, (_, i) => view.getFloat64(start + 8 * i))
  }

  const start = take(magic.length)
  if (!magic.every((byte, i) => bytes[start + i] === byte)) {
    throw new PotluckError('BAD_MODEL', `these ${bytes.length} bytes are no logistic model of version 1`)
  }
  const schema = takeText()
  const count = view.getUint16(take(2))
  const inputs = Array.from({ length: Math.min(count, mostInputs + 1) }, takeText)
  const scaling = { mean: takeNumbers(count), sd: takeNumbers(count) }
  const model: LogisticModel = { schema, inputs, scaling, weights: takeNumbers(count + 1) }
  if (at !== bytes.length) {
    throw new PotluckError('BAD_MODEL', `the model ends at byte ${at}, but ${bytes.length - at} more follow`)
  }
  if (!equalBytes(encodeLogisticModel(model), bytes)) {
    throw new PotluckError(
      'BAD_MODEL',
      'the model is written in another form than the one all nodes hash: encode it again',
    )
  }
  return model
}

function checkModel({ schema, inputs, scaling, weights }: LogisticModel): void {
  const count = inputs.length
  const { mean, sd } = scaling
  const sizes = `${mean.length} means, ${sd.length} deviations and ${weights.length} weights for ${count} inputs`
  const demands: [boolean, string][] = [
    [schema.length > 0 && inputs.every((name) => name.length > 0), 'an empty name'],
    [count > 0 && count <= mostInputs, `${count} inputs (1 to ${mostInputs} are allowed)`],
    [new Set(inputs).size === count, 'an input that occurs twice'],
    [mean.length === count && sd.length === count && weights.length === count + 1, sizes],
    [[mean, sd, weights].every((part) => part.every(Number.isFinite)), 'a number that is not finite'],
    [sd.every((value) => value > 0), 'a deviation that is not positive'],
  ]
  const broken = demands.find(([isMet]) => !isMet)
  if (broken) throw new PotluckError('BAD_MODEL', `the model has ${broken[1]}`)
}
