import { PotluckError } from '@potluck/protocol'

/** What a job asks of each of its workers. */
export type JobNeeds = {
  readonly workers: number
  readonly memoryBytes: number
  /** Inner steps a round, and the time they may take. */
  readonly steps: number
  readonly roundMs: number
  /** Bytes that each worker uploads a round, in the same time. */
  readonly uploadBytes: number
  readonly bondWei: bigint
  readonly payWei: bigint
  /** Regions in which the data may be worked on; absent: anywhere. */
  readonly regions?: readonly string[] | undefined
}

/** What one free worker offers. */
export type Offer = {
  readonly worker: string
  readonly memoryBytes: number
  readonly stepsPerSecond: number
  readonly uploadBytesPerSecond: number
  readonly bondWei: bigint
  readonly leastPayWei: bigint
  readonly region: string
}

export type Unfilled = {
  readonly missing: number
  readonly able: readonly string[]
  /** One for each demand that keeps somebody out, the one that keeps most out first. */
  readonly reasons: readonly { readonly demand: Demand; readonly keepsOut: number; readonly change: string }[]
  /** For the one who posted the job. */
  readonly why: string
}

type Demand = 'memory' | 'time' | 'bond' | 'pay' | 'region'

type Rule = {
  readonly demand: Demand
  readonly said: string
  readonly meets: (offer: Offer) => boolean
  /** The demand at which all of these would do, as text. */
  readonly forAll: (offers: readonly Offer[]) => string
  /** Who is nearest to meeting it comes first. */
  readonly order: (a: Offer, b: Offer) => number
}

/**
 * Why a job cannot be filled, and what would fill it; undefined when it can (L-74). For each demand: how many it keeps out, and, where
 * changing it alone would do, the nearest value at which enough workers could take part.
 *
 * @throws PotluckError BAD_NEEDS for no workers, or a time of 0
 */
export function whyUnfilled(needs: JobNeeds, offers: readonly Offer[]): Unfilled | undefined {
  if (!Number.isSafeInteger(needs.workers) || needs.workers < 1 || !(needs.roundMs > 0)) {
    throw new PotluckError('BAD_NEEDS', `needs at least 1 worker and 1 ms, got ${needs.workers} and ${needs.roundMs}`)
  }
  const rules = rulesOf(needs)
  const able = offers.filter((offer) => rules.every(({ meets }) => meets(offer)))
  const missing = needs.workers - able.length
  if (missing <= 0) return undefined
  const reasons = rules
    .map(({ demand, said, meets, forAll, order }) => {
      const keepsOut = offers.filter((offer) => !meets(offer)).length
      const onlyThis = offers
        .filter((offer) => !meets(offer) && rules.every((rule) => rule.demand === demand || rule.meets(offer)))
        .sort(order)
      const change =
        onlyThis.length >= missing
          ? `${said} keeps ${keepsOut} out: ${forAll(onlyThis.slice(0, missing))} would fill the job`
          : `${said} keeps ${keepsOut} out; changing it alone would bring ${onlyThis.length} of the ${missing} that are missing`
      return { demand, keepsOut, change }
    })
    .filter(({ keepsOut }) => keepsOut > 0)
    .sort((a, b) => b.keepsOut - a.keepsOut)
  const count = `the job needs ${needs.workers} workers, ${able.length} of ${offers.length} on offer can do it`
  const more =
    offers.length < needs.workers
      ? [`at least ${needs.workers - offers.length} more workers must come, or the job must do with ${offers.length}`]
      : []
  const why = `${[count, ...reasons.map(({ change }) => change), ...more].join('. ')}.`
  return { missing, able: able.map(({ worker }) => worker), reasons, why }
}

function rulesOf({ memoryBytes, steps, roundMs, uploadBytes, bondWei, payWei, regions }: JobNeeds): Rule[] {
  const neededMs = (offer: Offer): number =>
    Math.ceil((1_000 * steps) / offer.stepsPerSecond) + Math.ceil((1_000 * uploadBytes) / offer.uploadBytesPerSecond)
  const big = (of: (offer: Offer) => bigint, sign: 1 | -1) => (a: Offer, b: Offer) =>
    of(a) === of(b) ? 0 : of(a) < of(b) ? -sign : sign
  return [
    {
      demand: 'memory',
      said: `${megabytes(memoryBytes)} of memory`,
      meets: (offer) => offer.memoryBytes >= memoryBytes,
      forAll: (those) => `at most ${megabytes(Math.min(...those.map((one) => one.memoryBytes)), 'down')}`,
      order: (a, b) => b.memoryBytes - a.memoryBytes,
    },
    {
      demand: 'time',
      said: `${steps} steps and ${uploadBytes} bytes in ${roundMs} ms`,
      meets: (offer) => neededMs(offer) <= roundMs,
      forAll: (those) => `rounds of ${Math.max(...those.map(neededMs))} ms`,
      order: (a, b) => neededMs(a) - neededMs(b),
    },
    {
      demand: 'bond',
      said: `a bond of ${bondWei} wei`,
      meets: (offer) => offer.bondWei >= bondWei,
      forAll: (those) => `${those.map((one) => one.bondWei).reduce((least, one) => (one < least ? one : least))} wei`,
      order: big((offer) => offer.bondWei, -1),
    },
    {
      demand: 'pay',
      said: `pay of ${payWei} wei`,
      meets: (offer) => offer.leastPayWei <= payWei,
      forAll: (those) => `${those.map((one) => one.leastPayWei).reduce((most, one) => (one > most ? one : most))} wei`,
      order: big((offer) => offer.leastPayWei, 1),
    },
    {
      demand: 'region',
      said: `the data's residence (${regions?.join(', ') ?? 'anywhere'})`,
      meets: (offer) => !regions || regions.includes(offer.region),
      forAll: (those) => `leave of its owner for ${[...new Set(those.map((one) => one.region))].sort().join(', ')}`,
      order: (a, b) => (a.region < b.region ? -1 : a.region > b.region ? 1 : 0),
    },
  ]
}

const megabytes = (bytes: number, way: 'up' | 'down' = 'up'): string =>
  `${way === 'up' ? Math.ceil(bytes / 1_048_576) : Math.floor(bytes / 1_048_576)} MiB`
