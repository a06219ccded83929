import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { clipToNorm } from '../privacy/clipToNorm.ts'
import { noiseShare } from '../privacy/userNoise.ts'
import { smallestGroup } from '../secureSum/maskedSum.ts'
import type { RingWords } from '../secureSum/ring.ts'
import { decodeRing, encodeRing, type RingFormat } from '../secureSum/ringFixed.ts'
import { wordStream } from '../secureSum/wordStream.ts'

/** How updates are summed so that nobody sees a single one. */
export type Masks = {
  /** Members of a group, 3 at least; those left over join the last ones. */
  readonly groupSize: number
  /** Binary places of a value in the ring of 32 bits. Default 20. */
  readonly fractionBits?: number
  /**
   * The sum of a group's words, by client id, and what its members sent for it. When left out the words are simply added: the same sum,
   * no keys. `sumInMemory` runs the protocol.
   */
  readonly sum?: (round: number, words: ReadonlyMap<string, RingWords>) => { words: RingWords; bytes: number }
}

/** Noise for whole clients: each update is clipped to `clip`; a sum gets noise of deviation clip · multiplier. */
export type ClientNoise = {
  readonly clip: number
  readonly multiplier: number
  /** Members of a group that may keep their part of the noise back. Default 0. */
  readonly dishonest?: number
}

const purpose = { groups: 51 } as const

/** The groups of a run, by client number: drawn once, since groups that change from round to round leak by their differences. */
export function maskedGroups(seed: Uint8Array, clients: number, groupSize: number): number[][] {
  if (!Number.isSafeInteger(groupSize) || groupSize < smallestGroup || groupSize > clients) {
    throw new PotluckError(
      'BAD_GROUP',
      `masks need groups of ${smallestGroup} to the ${clients} clients, got ${groupSize}: a smaller sum shows what one of them holds`,
      { groupSize, clients },
    )
  }
  const random = new RandomStream(seed, purpose.groups, 0)
  const order = Array.from({ length: clients }, (_, i) => i)
  for (let i = clients - 1; i > 0; i--) {
    const j = random.below(clients - 1 - i, i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  const groups = Array.from({ length: Math.floor(clients / groupSize) }, () => [] as number[])
  order.forEach((client, place) => {
    groups[Math.floor(place / groupSize) % groups.length]!.push(client)
  })
  return groups.map((group) => group.sort((a, b) => a - b))
}

export type MaskedMember = {
  readonly id: string
  readonly update: Float32Array
  /** Rows behind it; only the sum over the group is used, and told. */
  readonly size: number
  /** 32 secret bytes of this member and round, from which its noise is drawn. */
  readonly secret: Uint8Array
}

/**
 * The mean of one group's updates as its masked sum gives it: by rows, or, with noise, each counting the same (L-83).
 *
 *   mean = decode(Σ encode(update_i · rows_i / rows))      with noise: decode(Σ (encode(clip(update_i)) + noise_i)) / members
 *
 * The integers are added in the ring, so the mean does not depend on the order, and equals the ring sum of the encoded updates to the bit.
 *
 * @throws PotluckError NO_HEADROOM for a value that leaves no room; BAD_PRIVACY
 */
export function maskedMean(
  members: readonly MaskedMember[],
  { fractionBits = 20, sum = addWords }: Masks,
  noise: ClientNoise | undefined,
  round: number,
): { mean: Float32Array; bytes: number } {
  const format: RingFormat = { bits: 32, fractionBits, members: members.length }
  const rows = members.reduce((total, { size }) => total + size, 0)
  const words = new Map(
    members.map((member) => [
      member.id,
      noise
        ? noisedWords(member, noise, format)
        : encodeRing(
            member.update.map((x) => x * (member.size / rows)),
            format,
          ),
    ]),
  )
  const total = sum(round, words)
  const divisor = noise ? members.length : 1
  return { mean: Float32Array.from(decodeRing(total.words, format), (x) => x / divisor), bytes: total.bytes }
}

function noisedWords({ update, secret }: MaskedMember, noise: ClientNoise, format: RingFormat): RingWords {
  const words = encodeRing(clipToNorm(update, noise.clip), format) as Uint32Array
  const { multiplier, dishonest = 0 } = noise
  const unit = Number(1n << BigInt(format.fractionBits))
  const clipSteps = Math.ceil(noise.clip * unit) + Math.ceil(Math.sqrt(update.length))
  const share = { clipSteps, multiplier, members: format.members, dishonest }
  noiseShare(update.length, share, wordStream(secret)).forEach((steps, i) => {
    words[i] = Number(BigInt.asUintN(32, BigInt(words[i]!) + steps))
  })
  return words
}

/** The ring sum, without the protocol around it. */
function addWords(_round: number, words: ReadonlyMap<string, RingWords>): { words: RingWords; bytes: number } {
  const all = [...words.values()] as Uint32Array[]
  const sum = new Uint32Array(all[0]!.length)
  for (const each of all) for (let i = 0; i < sum.length; i++) sum[i]! += each[i]!
  return { words: sum, bytes: all.length * sum.byteLength }
}
