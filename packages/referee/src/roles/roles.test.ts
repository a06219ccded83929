import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReferenceEngine, tensorRoot } from '@potluck/engine'
import { type Hex, toHex } from '@potluck/protocol'
import type { RefereeChain } from '../chain/RefereeChain.ts'
import { demoBase, demoJob } from '../replay/demoJob.ts'
import { rootOf, treeOfNodes } from '../trace/HashTree.ts'
import { recomputeClaim } from '../trace/recomputeClaim.ts'
import { createAccuser } from './createAccuser.ts'
import { createChampion } from './createChampion.ts'

const worker = `0x${'aa'.repeat(20)}` as Hex
const ZERO = toHex(new Uint8Array(32))
const job = demoJob()
const base = demoBase(job)
const seed = new Uint8Array(32).fill(3)
const truth = recomputeClaim({ job, engine: createReferenceEngine(), base, seed })

/** A chain on which nothing has happened; it notes what it is told. */
function emptyChain(): { chain: RefereeChain; calls: string[] } {
  const calls: string[] = []
  const note = async (call: string): Promise<{ gasUsed: bigint }> => {
    calls.push(call)
    return { gasUsed: 0n }
  }
  const chain: RefereeChain = {
    account: `0x${'bb'.repeat(20)}`,
    now: async () => 0,
    clockSeconds: async () => 60,
    challengesOf: async () => [],
    gamesOf: async () => [],
    movesOf: async () => [],
    isWrong: async () => false,
    challenge: ({ segment }) => note(`challenge ${segment}`),
    standUp: ({ id }) => note(`standUp ${id}`),
    move: (game, { name }) => note(`${name} ${game}`),
    callTime: (game) => note(`callTime ${game}`),
    settle: (id) => note(`settle ${id}`),
    releaseGame: (game) => note(`releaseGame ${game}`),
    strikeClaim: () => note('strikeClaim'),
    noteUpdates: () => note('noteUpdates'),
    strikePayouts: () => note('strikePayouts'),
    strikeDigests: () => note('strikeDigests'),
  }
  return { chain, calls }
}

async function rightClaim() {
  const nodes = await truth.nodes()
  return {
    ...{ worker, share: 0, units: BigInt(job.units), baseRoot: toHex(tensorRoot(base)), updateDigest: ZERO },
    updateRoot: toHex(await truth.updateRoot()),
    statesRoot: toHex(rootOf(treeOfNodes(nodes))),
  }
}

async function accused(change: Partial<Awaited<ReturnType<typeof rightClaim>>>, nodes?: Hex[]): Promise<string[]> {
  const { chain, calls } = emptyChain()
  const right = await rightClaim()
  const given = {
    chain,
    job,
    jobId: 1,
    round: 0,
    claim: { ...right, ...change },
    seed,
    truth,
    baseRoot: right.baseRoot,
  }
  await createAccuser(nodes ? { ...given, nodes } : given).tick()
  return calls
}

test('an accuser leaves a claim alone that is right', async () => {
  assert.deepEqual(await accused({}), [])
})

test('[D-20] an accuser strikes a claim from another base, with other units or of no share at once', async () => {
  assert.deepEqual(await accused({ baseRoot: ZERO }), ['strikeClaim'])
  assert.deepEqual(await accused({ units: 1n }), ['strikeClaim'])
  assert.deepEqual(await accused({ share: 9 }), ['strikeClaim'])
})

test('[D-11] an accuser challenges the first range that differs, the finish when only the update does, all when it cannot know', async () => {
  const own = (await truth.nodes()).map(toHex)
  const theirs = own.with(1, ZERO)
  const statesRoot = toHex(rootOf(treeOfNodes([(await truth.nodes())[0]!, new Uint8Array(32)])))
  assert.deepEqual(await accused({ statesRoot }, theirs), ['challenge 1'])
  assert.deepEqual(await accused({ updateRoot: ZERO }), ['challenge 2'])
  assert.deepEqual(await accused({ statesRoot: ZERO }), ['challenge 0', 'challenge 1'])
})

test('[D-12] a champion stands up for a right claim only', async () => {
  const { chain, calls } = emptyChain()
  const open = { id: 5, jobId: 1, round: 0, subject: ZERO, challenger: worker, segment: 0, standUpUntil: 60 }
  const challenged = { ...chain, challengesOf: async () => [{ ...open, openGames: 0, decided: false, won: false }] }
  const given = { chain: challenged, job, jobId: 1, round: 0, claim: await rightClaim(), seed, truth }
  await createChampion(given).tick()
  await createChampion({ ...given, claim: { ...given.claim, updateRoot: ZERO } }).tick()
  assert.deepEqual(calls, ['standUp 5'])
})
