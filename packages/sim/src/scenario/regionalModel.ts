import { outerStep, weightedMeanOf } from '@potluck/learning'
import { type ClusterMean, clusterMean, openMean } from './ClusterMean.ts'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import { type ModelFile, modelFileOf } from './ModelFile.ts'
import type { Scenario } from './Scenario.ts'

/** The two levels of a round with clusters (L-71), each a pure function of what it is given. */
export type RegionalModel = {
  /** @param set deliveries of one cluster, at least one */
  meanOf(round: number, set: readonly OpenedDelivery[]): ClusterMean
  /** The model that the mean of means leads to; the base itself where there is none. */
  next(base: ModelFile, means: readonly ClusterMean[]): ModelFile
}

/** Where one computes for all (`recompute: once`), the results of this round and the one before are kept. */
export function createRegionalModel(scenario: Scenario, reader: DeliveryReader): RegionalModel {
  const computed: RegionalModel = {
    meanOf: (round, set) => clusterMean(scenario, reader, round, set),
    next(base, means) {
      if (means.length === 0) return base
      const { update } = weightedMeanOf(means.map((mean) => openMean(mean, base.values.length)))
      return modelFileOf(outerStep({ kind: 'sgd', rate: scenario.outerRate }, base.values, update, undefined).next)
    },
  }
  if (scenario.recompute === 'everyone') return computed
  const means = lastOnes<ClusterMean>(128)
  const models = lastOnes<ModelFile>(2)
  return {
    meanOf: (round, set) =>
      means(`${round}/${set.map(({ id }) => id).join('/')}`, () => {
        const mean = computed.meanOf(round, set)
        for (const delivery of set) reader.release(delivery)
        return mean
      }),
    next: (base, given) =>
      models(`${base.root}/${given.map(({ id }) => id).join('/')}`, () => computed.next(base, given)),
  }
}

/** Keeps the newest results under what they follow from. */
function lastOnes<T>(most: number): (key: string, compute: () => T) => T {
  const known = new Map<string, T>()
  return (key, compute) => {
    const value = known.get(key) ?? compute()
    known.set(key, value)
    for (const old of known.keys()) if (known.size > most) known.delete(old)
    return value
  }
}
