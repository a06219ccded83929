/**
 * Who holds whose shares, how many open a secret, and how many must agree on a list of survivors: worked out for a group of n of
 * which C may pool what they know with a lying server (which may also call any D of the others gone), and of which D may go.
 *
 * Members sit at random on a circle; each is a neighbour of the degree/2 next ones on either side. Shares of a member's two
 * secrets lie with its neighbours; pairwise masks are between neighbours.
 *
 * - *One list.* quorum > (n + C)/2: two lists signed by a quorum each would share a member that is honest yet signed both. So all
 *   that honest members reveal is for one list of survivors, and D of it are missing at most.
 * - *Shares.* A secret falls to those who pool when `threshold` of them sit in one neighbourhood. It is lost when more than
 *   degree − threshold neighbours go.
 * - *Masks.* The honest survivors' masks hide all but their total while they hang together. They fall apart only when two stretches
 *   of degree/2 places, wherever on the circle, hold nobody but those who pool or are called gone. Since the server calls them gone after
 *   it saw the circle, that asks for degree − D who pool among degree places: over n(n − 1)/2 pairs of stretches.
 *
 * Members who pool are fixed before the circle is drawn (from a seed nobody knew then), so all counts are hypergeometric; they
 * are compared as whole numbers, exactly. Bell, Bonawitz, Gascón, Lepoint and Raykova (CCS 2020) prove the shape of it; the
 * bounds here are plain union bounds of our own for a circle and one common list.
 */
import { PotluckError } from '@potluck/protocol'

/** The chance that privacy fails is at most 2^−40, and so is that of losing a secret when D members, drawn by chance, go. */
export const safetyBits = 40

/** Up to here everyone is everyone's neighbour. */
export const largestComplete = 16

/** GF(2^8) has places for 255 holders. */
const largestDegree = 255

export type Tolerance = { readonly colluders: number; readonly dropouts: number }

export type GraphPlan = Tolerance & {
  /** Neighbours of each member: even, or n − 1. */
  readonly degree: number
  /** Shares that open a secret: more than half the neighbours. */
  readonly threshold: number
  /** Signatures on one list of survivors before anyone reveals anything. */
  readonly quorum: number
  readonly isComplete: boolean
}

/**
 * What a group of n stands by default: up to 16 a third may go and as many may pool as that leaves room for; above, a tenth each,
 * at least five.
 */
export function defaultTolerance(n: number): Tolerance {
  if (n > largestComplete) {
    const tenth = Math.max(5, Math.floor(n / 10))
    return { dropouts: tenth, colluders: tenth }
  }
  const dropouts = Math.max(0, Math.min(Math.floor(n / 3), n - 3))
  return { dropouts, colluders: Math.max(0, Math.min(n - 2 * dropouts - 1, completeThreshold(n, dropouts) - 1)) }
}

/** The sparsest graph that is safe. Throws BAD_TOLERANCE when no graph of n members stands so many. */
export function planGraph(n: number, { colluders, dropouts }: Tolerance): GraphPlan {
  const quorum = Math.floor((n + colluders) / 2) + 1
  const whole = [n, colluders, dropouts].every((value) => Number.isInteger(value) && value >= 0)
  if (!whole || n < 3 || n - dropouts < Math.max(3, quorum)) {
    throw new PotluckError(
      'BAD_TOLERANCE',
      `of ${n} members, ${dropouts} gone leave ${n - dropouts}; with ${colluders} who may pool, ${Math.max(3, quorum)} must agree on who is left: allow fewer of either, or bring more members`,
      { members: n, colluders, dropouts, quorum },
    )
  }
  const at = { colluders, dropouts, quorum }
  if (n > largestComplete) {
    for (let degree = 2; degree < n - 1 && degree <= largestDegree; degree += 2) {
      const threshold = thresholdOf(n, degree, dropouts)
      if (threshold !== null && isPrivate(n, degree, threshold, at))
        return { ...at, degree, threshold, isComplete: false }
    }
  }
  const threshold = completeThreshold(n, dropouts)
  if (n - 1 > largestDegree || threshold > n - 1 - dropouts || threshold <= colluders) {
    throw new PotluckError(
      'BAD_TOLERANCE',
      `no graph of ${n} members stands ${colluders} who pool and ${dropouts} gone: allow fewer of either`,
      { members: n, colluders, dropouts },
    )
  }
  return { ...at, degree: n - 1, threshold, isComplete: true }
}

const completeThreshold = (n: number, dropouts: number): number =>
  Math.max(Math.floor((n - 1) / 2) + 1, n - 1 - dropouts)

/** The most shares one may ask for so that n neighbourhoods keep as many, or null when that is half of them or fewer. */
function thresholdOf(n: number, degree: number, dropouts: number): number | null {
  for (let threshold = degree; 2 * threshold > degree; threshold--) {
    if (isRare(n, { size: n - 1, marked: dropouts, drawn: degree, atLeast: degree - threshold + 1 })) return threshold
  }
  return null
}

function isPrivate(n: number, degree: number, threshold: number, { colluders, dropouts }: Tolerance): boolean {
  const isCut = { size: n, marked: colluders, drawn: degree, atLeast: degree - dropouts }
  return (
    isRare(n, { size: n - 1, marked: colluders, drawn: degree, atLeast: threshold }) && isRare((n * (n - 1)) / 2, isCut)
  )
}

type Draw = { readonly size: number; readonly marked: number; readonly drawn: number; readonly atLeast: number }

/** Whether `times` · P(at least so many marked ones among those drawn without putting back) ≤ 2^−40, in whole numbers. */
function isRare(times: number, { size, marked, drawn, atLeast }: Draw): boolean {
  let ways = 0n
  for (let hit = Math.max(0, atLeast); hit <= Math.min(marked, drawn); hit++) {
    ways += choose(marked, hit) * choose(size - marked, drawn - hit)
  }
  return (BigInt(times) * ways) << BigInt(safetyBits) <= choose(size, drawn)
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n
  let ways = 1n
  for (let i = 1; i <= k; i++) ways = (ways * BigInt(n - k + i)) / BigInt(i)
  return ways
}
