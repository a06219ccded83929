import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { sumTree } from '../support/trees.ts'
import { deployWorld, makeAsset, plainTerms, type World } from '../support/world.ts'

let world: World

before(async () => {
  world = await deployWorld(await startEvm())
})

const owedTo = (account: `0x${string}`) => world.assets.read('owed', [world.dollar.address, account])
const gross = (version: bigint) => world.assets.read('grossOf', [version, world.dollar.address])

test('refuses to pull between strangers, to settle what does not exist and to pay out nothing', async () => {
  const { assets, builder, operator, dollar } = world
  const { version: a } = await makeAsset(world, builder)
  const { version: b } = await makeAsset(world, builder)
  await refuses(assets.attempt(operator, 'pull', [b, a, dollar.address]), 'NotParent', [b, a])
  await refuses(assets.attempt(operator, 'settle', [999n, dollar.address]), 'UnknownVersion', [999n])
  await refuses(assets.attempt(operator, 'withdraw', [dollar.address]), 'NothingOwed', [
    dollar.address,
    operator.address,
  ])
})

test('a diamond gives the same whatever the order of pulls, and never more than was paid [C-23] [C-07]', async () => {
  const { assets, builder, caller, operator, dollar } = world
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0, 3, 2],
    [1, 3, 0, 2, 3],
    [2, 0, 3, 1, 2, 3],
  ]
  const results: bigint[][] = []
  for (const order of orders) {
    const { version: top } = await makeAsset(world, builder)
    const { version: left } = await makeAsset(world, builder, { parents: [top], shares: [333_333] })
    const { version: right } = await makeAsset(world, builder, { parents: [top], shares: [142_857] })
    const { version: bottom } = await makeAsset(world, builder, { parents: [left, right], shares: [285_714, 199_999] })
    const edges = [
      [bottom, left],
      [bottom, right],
      [left, top],
      [right, top],
    ] as const
    for (const amount of [1_000_003n, 17n]) {
      await assets.send(caller, 'pay', [bottom, dollar.address, amount])
      for (const i of order) {
        const [child, parent] = edges[i] as (typeof edges)[number]
        await assets.send(operator, 'pull', [child, parent, dollar.address])
      }
    }
    // In the end everything has flowed, in whatever order it came.
    for (const [child, parent] of edges) await assets.send(operator, 'pull', [child, parent, dollar.address])
    results.push([await gross(bottom), await gross(left), await gross(right), await gross(top)])
  }
  for (const result of results) assert.deepEqual(result, results[0])
  const [paid, left, right, top] = results[0] as [bigint, bigint, bigint, bigint]
  assert.equal(left, (paid * 285_714n) / 1_000_000n)
  assert.equal(right, (paid * 199_999n) / 1_000_000n)
  assert.equal(top, (left * 333_333n) / 1_000_000n + (right * 142_857n) / 1_000_000n)
})

test('pulls along a path of 60 in one call and the whole line stays conserved [C-20]', async () => {
  const { assets, builder, caller, operator, dollar } = world
  const path: bigint[] = []
  let { version } = await makeAsset(world, builder)
  path.unshift(version)
  for (let i = 1; i < 60; i++) {
    ;({ version } = await makeAsset(world, builder, { parents: [version], shares: [900_000] }))
    path.unshift(version)
  }
  await assets.send(caller, 'pay', [version, dollar.address, 1_000_000_000n])
  await assets.send(operator, 'pullPath', [path, dollar.address])
  let left = 0n
  for (const [i, one] of path.entries()) {
    const passed = i + 1 < path.length ? await gross(path[i + 1] as bigint) : 0n
    left += (await gross(one)) - passed
  }
  assert.equal(left, 1_000_000_000n)
  assert.equal(await gross(path[1] as bigint), 900_000_000n)
})

test("a sale credits the old owner first; what comes later is the new owner's [C-24]", async () => {
  const { assets, builder, caller, operator, dollar } = world
  const { assetId, version } = await makeAsset(world, builder, {})
  const second = await assets.send(builder, 'addVersion', [
    assetId,
    { ...plainTerms, parents: [version], shares: [250_000] },
  ])
  const newer = assets.events(second, 'VersionAdded')[0]?.version as bigint
  await assets.send(caller, 'pay', [version, dollar.address, 101n])
  await assets.send(caller, 'pay', [newer, dollar.address, 200n])
  const [before, after] = [await owedTo(builder.address), await owedTo(operator.address)]
  await assets.send(builder, 'transferFrom', [builder.address, operator.address, assetId])
  assert.equal((await owedTo(builder.address)) - before, 101n + 150n)
  await assets.send(caller, 'pay', [version, dollar.address, 9n])
  await assets.send(caller, 'settle', [version, dollar.address])
  assert.equal((await owedTo(operator.address)) - after, 9n)
  assert.equal((await owedTo(builder.address)) - before, 251n)
})

test('contributors get their weight of the share and nobody gets it twice [C-26]', async () => {
  const { assets, builder, caller, operator, deployer, dollar } = world
  const leaves = [
    { account: deployer.address, weight: 3n },
    { account: operator.address, weight: 3n },
    { account: caller.address, weight: 1n },
  ]
  const tree = sumTree(leaves)
  const { version } = await makeAsset(world, builder, {
    contributorsRoot: tree.root,
    contributorsTotal: tree.total,
    contributorsShare: 500_000,
  })
  const claim = (i: number, weight = leaves[i]?.weight as bigint, proof = tree.proof(i)) =>
    [version, dollar.address, BigInt(i), leaves[i]?.account as `0x${string}`, weight, proof] as const
  await assets.send(caller, 'pay', [version, dollar.address, 200n])
  await refuses(assets.attempt(caller, 'claimContributor', claim(0, 4n)), 'SumProofInvalid', [tree.root, tree.total])
  await refuses(assets.attempt(caller, 'claimContributor', claim(2, 1n, tree.proof(0))), 'SumProofInvalid')
  const forged = tree.proof(0).map((sibling, i) => (i === 0 ? { ...sibling, sum: sibling.sum + 1n } : sibling))
  await refuses(assets.attempt(caller, 'claimContributor', claim(0, 2n, forged)), 'SumProofInvalid')

  const before = await Promise.all(leaves.map(({ account }) => owedTo(account)))
  for (const i of [0, 1, 2, 0, 2]) await assets.send(caller, 'claimContributor', claim(i))
  const gains = await Promise.all(leaves.map(async ({ account }, i) => (await owedTo(account)) - (before[i] as bigint)))
  // 100 in the pot, weights 3 : 3 : 1, rounded down; 2 stay as dust.
  assert.deepEqual(gains, [42n, 42n, 14n])
  await assets.send(caller, 'pay', [version, dollar.address, 2n])
  await assets.send(caller, 'claimContributor', claim(0))
  assert.equal((await owedTo(deployer.address)) - (before[0] as bigint), 43n)
})

test('anyone may trigger a withdrawal, and it goes to whom it is owed, once [C-27]', async () => {
  const { assets, builder, caller, operator, dollar } = world
  const owed = await owedTo(builder.address)
  const held = await dollar.read('balanceOf', [builder.address])
  await assets.send(operator, 'withdrawFor', [builder.address, dollar.address])
  assert.equal((await dollar.read('balanceOf', [builder.address])) - held, owed)
  await refuses(assets.attempt(caller, 'withdrawFor', [builder.address, dollar.address]), 'NothingOwed')
})
