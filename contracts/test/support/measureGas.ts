import { keccak256, maxUint256, parseEther, toHex } from 'viem'
import type { Evm } from './evm.ts'
import { claimOf, finalise, fixSet, proposalOf, propose, type RunningJob, revealAll, startJob } from './runJob.ts'
import { type Config, plainConfig, voucher } from './voucher.ts'
import { deployWorld, makeAsset, makeNodes, plainTerms, ROLE, type World, ZERO_HASH } from './world.ts'

export type GasNumbers = {
  /** With a standing approval, as Channels has one. */
  'royalty.pay.depth1': bigint
  'royalty.pay.depth1000': bigint
  'royalty.pay.salt': bigint
  /** With an approval that the payment uses up in part: the token writes the rest down. */
  'royalty.pay.countedApproval': bigint
  /** Per channel, the second claim of each, without its part of the one allocation. */
  'channel.claim.batch50': bigint
  /** Per channel, what the one allocation adds. */
  'channel.claim.batch50.allocation': bigint
  /** Per channel, the whole transaction: both together. */
  'channel.claim.batch50.whole': bigint
  /** The whole, when nobody has been paid along this allocation before. */
  'channel.claim.batch50.whole.first': bigint
  'round.claims5': bigint
  'round.claims100': bigint
}

/** Gas of whole transactions, base fee and calldata included, on a fresh chain. About 3,000 transactions. */
export async function measureGas(evm: Evm): Promise<GasNumbers> {
  const world = await deployWorld(evm)
  return { ...(await measurePay(world)), ...(await measureClaim(world)), ...(await measureRounds(world)) }
}

/** A repeat payment: the accumulator and the holder's balance exist already. */
async function measurePay(world: World) {
  const { assets, dollar, salt, builder, caller, deployer } = world
  const repeat = async (version: bigint, token: `0x${string}`) => {
    await assets.send(caller, 'pay', [version, token, 1_000_001n])
    return (await assets.send(caller, 'pay', [version, token, 1_000_001n])).gasUsed
  }
  let { version } = await makeAsset(world, builder)
  ;({ version } = await makeAsset(world, builder, { parents: [version], shares: [100_000] }))
  const depth1 = await repeat(version, dollar.address)
  for (let depth = 2; depth <= 1000; depth++) {
    ;({ version } = await makeAsset(world, builder, { parents: [version], shares: [100_000] }))
  }
  const depth1000 = await repeat(version, dollar.address)
  await dollar.send(caller, 'approve', [assets.address, parseEther('1')])
  const countedApproval = await repeat(version, dollar.address)

  await salt.send(deployer, 'transfer', [caller.address, parseEther('1')])
  await salt.send(caller, 'approve', [assets.address, maxUint256])
  const receipt = await assets.send(builder, 'create', [builder.address, [salt.address], plainTerms])
  const inSalt = assets.events(receipt, 'VersionAdded')[0]?.version as bigint
  return {
    'royalty.pay.depth1': depth1,
    'royalty.pay.depth1000': depth1000,
    'royalty.pay.salt': await repeat(inSalt, salt.address),
    'royalty.pay.countedApproval': countedApproval,
  }
}

async function measureClaim(world: World) {
  const { evm, channels, dollar, deployer, builder, operator } = world
  const size = 50
  const payers = await evm.accounts(5, size)
  const { version } = await makeAsset(world, builder)
  const allocation = {
    version,
    provider: deployer.address,
    providerShare: 600_000,
    gateway: operator.address,
    gatewayShare: 50_000,
  }
  const configs: Config[] = []
  for (const payer of payers) {
    const config = plainConfig(world, { payer: payer.address, signer: payer.address, salt: ZERO_HASH })
    await dollar.send(deployer, 'mint', [payer.address, 100_000_000n])
    await dollar.send(payer, 'approve', [channels.address, 100_000_000n])
    await channels.send(payer, 'open', [config, 100_000_000n])
    configs.push(config)
  }
  const claim = async (from: bigint, cumulative: bigint, count: number) => {
    const items = []
    for (const [i, payer] of payers.slice(0, count).entries()) {
      const requestHash = keccak256(toHex(`request ${i} ${cumulative}`))
      const config = configs[i] as Config
      items.push(await voucher(world, payer, config, allocation, { from, cumulative, requestHash }))
    }
    return (await channels.send(operator, 'claim', [[{ token: dollar.address, allocation, items }]])).gasUsed
  }
  const first = await claim(0n, 1_234_567n, size)
  const repeat = await claim(1_234_567n, 2_345_678n, size)
  // One channel alone pays the transaction, the allocation and itself: the rest follows from two sizes.
  const alone = await claim(2_345_678n, 3_456_789n, 1)
  const perItem = (repeat - alone) / BigInt(size - 1)
  const whole = repeat / BigInt(size)
  const paid = (alone - perItem - 21_000n) / BigInt(size)
  return {
    'channel.claim.batch50': whole - paid,
    'channel.claim.batch50.allocation': paid,
    'channel.claim.batch50.whole': whole,
    'channel.claim.batch50.whole.first': first / BigInt(size),
  }
}

/** All transactions of the second of three rounds, with a committee of 16, a quorum of 11 and five validators. */
async function measureRounds(world: World) {
  const workers = await makeNodes(world, 10, 100, ROLE.WORKER)
  const validators = await makeNodes(world, 20, 5, ROLE.VALIDATOR)
  const witnesses = await makeNodes(world, 30, 20, ROLE.WITNESS)
  const round = async (count: number) => {
    const crew = { workers: workers.slice(0, count), validators, witnesses }
    const terms = { rounds: 3, committeeSize: 16, quorum: 11, minWitnesses: 16, minValidators: 5, witnessBond: 0n }
    const job = await startJob(world, crew, terms)
    await walkRound(world, job, 0)
    return walkRound(world, job, 1)
  }
  return { 'round.claims5': await round(5), 'round.claims100': await round(100) }
}

async function walkRound(world: World, job: RunningJob, round: number): Promise<bigint> {
  const accounts = job.crew.workers.map(({ cold }) => cold.address)
  const pay = BigInt(round + 1) * 1_000n
  const fixed = await fixSet(world, job, round, accounts.map(claimOf))
  const revealed = await revealAll(world, job, round)
  const { receipt } = await propose(
    world,
    job,
    round,
    proposalOf(
      accounts,
      accounts.map(() => pay),
    ).proposal,
  )
  const final = await finalise(world, job, round)
  return [fixed.receipt, ...revealed, receipt, final].reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
}
