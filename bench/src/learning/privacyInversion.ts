/**
 * Can an image be read from what is sent? The first layer's gradient is turned back into inputs; the attacker is told which guess is
 * best. The worst case is one row for each member: alone, in sums of three and of ten (what a masked group gives away), and under
 * noise. Nearer to use are updates of members with ten rows and five steps each, alone and in a sum of three. Images: MNIST, 30.
 */
import { createEngine, initialModelParameters, type ModelConfig, modelOf } from '@potluck/engine'
import { addUserNoise, inversionQuality, rowGradients, wordStream } from '@potluck/learning'
import type { Row } from '../Row.ts'
import { inversionImages, qualityRow, seedOf, sumOf } from './inversionSetting.ts'

const configs: Readonly<Record<string, ModelConfig>> = {
  logistic: { kind: 'logistic', inputs: 784, classes: 10 },
  mlp: { kind: 'mlp', inputs: 784, hidden: [32], activation: 'relu', classes: 10 },
}

export async function privacyInversion(): Promise<Row[]> {
  const engine = await createEngine()
  const { data, images } = inversionImages()
  const out: Row[] = []
  for (const [name, config] of Object.entries(configs)) {
    const gradients = await rowGradients(engine, config)
    const start = initialModelParameters(modelOf(config), seedOf('start'))
    gradients.at(start)
    const single = images.map((_, i) => gradients.of(data, i).gradient)
    const inGroups = (size: number): number[] => {
      const found: number[] = []
      for (let first = 0; first < images.length; first += size) {
        const sum = sumOf(single.slice(first, first + size))
        found.push(...inversionQuality(config, sum, images.slice(first, first + size), 1))
      }
      return found
    }
    const noised = (multiplier: number): number[] =>
      single.flatMap((gradient, i) => {
        const sent = addUserNoise(gradient, 1, multiplier, wordStream(seedOf(`${name} ${multiplier} ${i}`)))
        return inversionQuality(config, sent, [images[i]!], 1)
      })
    const row = (what: string, db: readonly number[]): Row => qualityRow(`${name}.${what}`, db, null, null)
    const updates = [0, 1, 2].map((member) => {
      let now = start
      for (let step = 0; step < 5; step++) {
        gradients.at(now)
        const parts = Array.from({ length: 10 }, (_, i) => gradients.of(data, 10 * member + i).gradient)
        now = now.map((value, i) => value - 0.01 * parts.reduce((total, gradient) => total + gradient[i]!, 0))
      }
      return start.map((value, i) => value - now[i]!)
    })
    out.push(row('alone', inGroups(1)), row('three', inGroups(3)), row('ten', inGroups(10)))
    out.push(
      row(
        'update.alone',
        updates.flatMap((update, m) => inversionQuality(config, update, images.slice(10 * m, 10 * m + 10), 1)),
      ),
      row('update.three', inversionQuality(config, sumOf(updates), images, 1)),
    )
    out.push(row('noise0.05', noised(0.05)), row('noise1', noised(1)))
  }
  return out
}
