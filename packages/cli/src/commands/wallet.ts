import { existsSync, writeFileSync } from 'node:fs'
import { createChain, embeddedAccounts } from '@potluck/chain'
import { type Hex, keccak256, PotluckError, toHex, utf8 } from '@potluck/protocol'
import { table } from '../demo/Screen.ts'
import { type AccountOptions, actingWallet, isEmbedded } from './account.ts'
import { formatAmount, parseAmount } from './amounts.ts'
import { type Network, type NetworkOptions, networkAt, tokenOf } from './networkAt.ts'
import { channelById, ownChannels } from './ownChannels.ts'
import type { Printed } from './printed.ts'

type Common = NetworkOptions & AccountOptions

/** What the account holds, and what is owed to it by assets and channels. */
export async function walletBalance(options: Common): Promise<Printed> {
  const network = networkAt(options)
  const wallet = await actingWallet(network, options)
  const { coin, tokens } = await wallet.balances()
  const owed = await owedOf(network, wallet.address)
  const rows = tokens.map(({ symbol, decimals, balance, address }) => [
    symbol,
    formatAmount(balance, decimals),
    formatAmount(owed.get(address)?.total ?? 0n, decimals),
  ])
  return {
    value: {
      address: wallet.address,
      coin,
      tokens: tokens.map((one) => ({ ...one, owed: owed.get(one.address)?.total ?? 0n })),
    },
    lines: [
      wallet.address,
      ...table([['token', 'held', 'to collect'], ['coin (gas)', formatAmount(coin, 18), ''], ...rows]),
    ],
  }
}

/** What can be collected, by token: income of assets, and credits of channels. */
async function owedOf(network: Network, account: Hex) {
  const { chain, deployment } = network
  const entries = await Promise.all(
    deployment.tokens.map(async ({ address }) => {
      const [assets, credit] = await Promise.all([
        chain.read.assets.owed([address, account]),
        chain.read.channels.creditOf([address, account]),
      ])
      return [address, { assets, credit, total: assets + credit }] as const
    }),
  )
  return new Map(entries)
}

/** Play dollars (and gas) on an embedded chain; refused on any other. */
export async function walletFund(options: Common & { amount: string }): Promise<Printed> {
  const network = networkAt(options)
  const { rpcUrl, deployment } = network
  const token = tokenOf(deployment)
  const units = positive(options.amount, token.decimals)
  if (!isEmbedded(network)) {
    const message = `${deployment.name} (chain ${deployment.chainId}) is no embedded chain: its ${token.symbol} must be bought or sent`
    throw new PotluckError('NOT_EMBEDDED', message, { chainId: deployment.chainId })
  }
  const wallet = await actingWallet(network, options)
  const mint = createChain({ rpcUrl, deployment, secret: embeddedAccounts[0] as Uint8Array })
  const { hash } = await mint.erc20(token.address).send('mint', [wallet.address, units])
  const said = `${formatAmount(units, token.decimals)} ${token.symbol}`
  return {
    value: { address: wallet.address, amount: units, token: token.symbol, hash },
    lines: [`${wallet.address} got ${said}`],
  }
}

export async function walletSend(options: Common & { to: Hex; amount: string; token?: string }): Promise<Printed> {
  const network = networkAt(options)
  const token = tokenOf(network.deployment, options.token)
  const units = positive(options.amount, token.decimals)
  const wallet = await actingWallet(network, options)
  const held = await wallet.chain.erc20(token.address).read.balanceOf([wallet.address])
  if (held < units) {
    const said = (amount: bigint): string => `${formatAmount(amount, token.decimals)} ${token.symbol}`
    const message = `${wallet.address} holds ${said(held)}, ${said(units)} are to be sent: send less, or fund it first`
    throw new PotluckError('FUNDS_TOO_LOW', message, { held, wanted: units, token: token.symbol })
  }
  const { hash } = await wallet.chain.erc20(token.address).send('transfer', [options.to, units])
  const line = `sent ${formatAmount(units, token.decimals)} ${token.symbol} to ${options.to} (${hash})`
  return { value: { from: wallet.address, to: options.to, amount: units, token: token.symbol, hash }, lines: [line] }
}

/** The gateway's settling key: named, or that of the network folder. */
export function operatorOf(network: Network, named?: Hex): Hex {
  const found = named ?? network.participants.find(({ service }) => service === 'gateway')?.key
  if (found) return found
  throw new PotluckError(
    'NO_OPERATOR',
    'which gateway may claim? name the address of its settling key with --operator',
    {},
  )
}

type OpenOptions = Common & { operator?: Hex; amount: string; token?: string; name?: string; delaySeconds: number }

export async function walletOpenChannel(options: OpenOptions): Promise<Printed> {
  const network = networkAt(options)
  const token = tokenOf(network.deployment, options.token)
  const amount = positive(options.amount, token.decimals)
  const operator = operatorOf(network, options.operator)
  const wallet = await actingWallet(network, options)
  const salt = options.name === undefined ? {} : { salt: toHex(keccak256(utf8(`potluck channel ${options.name}`))) }
  const channel = await wallet.openChannel({
    ...{ operator, token: token.address, amount, withdrawDelaySeconds: options.delaySeconds },
    ...salt,
  })
  const state = await wallet.channelState(channel)
  const said = `${formatAmount(state.left, token.decimals)} ${token.symbol} to spend at ${operator}`
  return { value: { ...channel, ...state, token: token.symbol }, lines: [channel.id, said] }
}

export async function walletChannels(options: Common): Promise<Printed> {
  const network = networkAt(options)
  const wallet = await actingWallet(network, options)
  const channels = await Promise.all(
    (await ownChannels(network, wallet.address)).map(async (channel) => ({
      ...channel,
      ...(await wallet.channelState(channel)),
      token: tokenOf(network.deployment, channel.config.token),
    })),
  )
  const rows = channels.map((one) => [
    one.id.slice(0, 12),
    formatAmount(one.deposited, one.token.decimals),
    formatAmount(one.claimed, one.token.decimals),
    formatAmount(one.left, one.token.decimals),
    one.token.symbol,
    one.withdrawAt === 0n ? 'open' : `to be closed at second ${one.withdrawAt}`,
  ])
  const head = ['channel', 'deposited', 'claimed', 'left', '', '']
  return {
    value: { address: wallet.address, channels },
    lines: rows.length > 0 ? table([head, ...rows]) : ['no channels'],
  }
}

type ApiKeyOptions = Common & { channel: string; cap: string; lane?: number; out: string }

/** A key for an application, into a file of its own; the key is shown nowhere else. */
export async function walletApiKey(options: ApiKeyOptions): Promise<Printed> {
  if (existsSync(options.out)) {
    const message = `${options.out} exists: a key is never overwritten; choose another name or move it away`
    throw new PotluckError('KEY_EXISTS', message, { file: options.out })
  }
  const network = networkAt(options)
  const wallet = await actingWallet(network, options)
  const channel = await channelById(network, wallet, options.channel)
  const token = tokenOf(network.deployment, channel.config.token)
  const cap = positive(options.cap, token.decimals)
  // Before the chain names the key: one that cannot be kept is not made.
  writeFileSync(options.out, '', { mode: 0o600, flag: 'wx' })
  const lane = options.lane === undefined ? {} : { lane: options.lane }
  writeFileSync(options.out, await wallet.createApiKey({ channel, cap, ...lane }), { mode: 0o600 })
  const said = `${formatAmount(cap, token.decimals)} ${token.symbol}`
  return {
    value: { channel: channel.id, cap, file: options.out },
    lines: [
      `The API key is in ${options.out}, readable by you only; whoever has it can spend ${said} of the channel and nothing else.`,
    ],
  }
}

/** With a channel: asks for its rest, and takes it once the delay is over. Without one: collects all that is owed. */
export async function walletWithdraw(options: Common & { channel?: string }): Promise<Printed> {
  const network = networkAt(options)
  const wallet = await actingWallet(network, options)
  if (options.channel === undefined) return collect(network, wallet)
  const channel = await channelById(network, wallet, options.channel)
  const token = tokenOf(network.deployment, channel.config.token)
  const { withdrawAt, left } = await wallet.channelState(channel)
  const now = await wallet.chain.now()
  if (withdrawAt === 0n || withdrawAt > now) {
    const from = withdrawAt === 0n ? await wallet.requestWithdraw(channel) : withdrawAt
    const amount = formatAmount(left, token.decimals)
    const line = `${amount} ${token.symbol} can be taken in ${from - now} s, once the gateway has had its time to claim: type the same again then`
    return { value: { channel: channel.id, requested: true, withdrawAt: from, left }, lines: [line] }
  }
  const taken = await wallet.withdraw(channel)
  return {
    value: { channel: channel.id, withdrawn: taken, token: token.symbol },
    lines: [`${formatAmount(taken, token.decimals)} ${token.symbol} are back in ${wallet.address}`],
  }
}

async function collect(network: Network, wallet: Awaited<ReturnType<typeof actingWallet>>): Promise<Printed> {
  const owed = await owedOf(network, wallet.address)
  const withdrawn: { token: string; amount: bigint }[] = []
  const lines: string[] = []
  for (const { address, symbol, decimals } of network.deployment.tokens) {
    const { assets, credit, total } = owed.get(address) ?? { assets: 0n, credit: 0n, total: 0n }
    if (assets > 0n) await wallet.chain.send('assets', 'withdraw', [address])
    if (credit > 0n) await wallet.chain.send('channels', 'withdrawCredit', [address])
    withdrawn.push({ token: symbol, amount: total })
    lines.push(`${formatAmount(total, decimals)} ${symbol} collected`)
  }
  return { value: { address: wallet.address, withdrawn }, lines }
}

/** An amount above zero. Throws BAD_AMOUNT. */
export function positive(text: string, decimals: number): bigint {
  const units = parseAmount(text, decimals)
  if (units > 0n) return units
  throw new PotluckError('BAD_AMOUNT', `"${text}" is nothing: write an amount above zero`, { seen: text, decimals })
}
