import { randomBytes } from 'node:crypto'
import { createChain, type Deployment, eventIn, readDeployment } from '@potluck/chain'
import {
  addressOfSecret,
  type ChannelConfig,
  channelIdOf,
  encodeApiKey,
  type Hex,
  PotluckError,
  toHex,
} from '@potluck/protocol'
import { readSecret } from './readSecret.ts'

export type WalletOptions = {
  /** 32 bytes, or the file that holds them as hex. */
  secret?: Uint8Array
  keyFile?: string
  rpcUrl: string
  /** The deployment, its file, or its JSON text. */
  deployment: Deployment | string
}

export type Channel = { id: Hex; config: ChannelConfig }

export type OpenChannelOptions = {
  /** Address of the gateway's settling key: the one account that may claim. */
  operator: Hex
  token: Hex
  /** First deposit, in token units. */
  amount: bigint
  /** Signs the vouchers of lane 0; the wallet itself when left out. */
  signer?: Hex
  /** How long the gateway may still claim after `requestWithdraw`. An hour when left out. */
  withdrawDelaySeconds?: number
  /** Tells channels between the same two apart. Name it to make opening repeatable: the same salt finds the same channel. */
  salt?: Hex
}

export type Balance = { symbol: string; address: Hex; decimals: number; balance: bigint }

export type Wallet = ReturnType<typeof createWallet>

const NOBODY = '0x0000000000000000000000000000000000000000'
const HOUR_SECONDS = 3_600

/**
 * An account that pays: balances, channels and the API keys that spend from them. Amounts are token units.
 *
 * Everything that sends waits until it counts, and throws as `@potluck/chain` does: REVERTED with the contract's error, RPC_UNREACHABLE.
 */
export function createWallet(options: WalletOptions) {
  const secret = options.secret ?? (options.keyFile === undefined ? undefined : readSecret(options.keyFile))
  if (!secret) throw new PotluckError('NO_KEY', 'a wallet needs a secret or a keyFile', {}, { remedy: 'fix-setup' })
  const { rpcUrl } = options
  const deployment = typeof options.deployment === 'string' ? readDeployment(options.deployment) : options.deployment
  const chain = createChain({ rpcUrl, deployment, secret })
  const address = addressOfSecret(secret)
  const { chainId, contracts } = deployment

  /** Lets `spender` take up to `amount`; asks the chain first and sends nothing when it may already. */
  async function approve({ token, spender, amount }: { token: Hex; spender: Hex; amount: bigint }): Promise<void> {
    const erc20 = chain.erc20(token)
    if ((await erc20.read.allowance([address, spender])) >= amount) return
    await erc20.send('approve', [spender, amount])
  }

  async function depositable(token: Hex, amount: bigint): Promise<void> {
    const balance = await chain.erc20(token).read.balanceOf([address])
    if (balance < amount) {
      const message = `${address} holds ${balance} units of ${token}, ${amount} are to be deposited: send it more first`
      throw new PotluckError('FUNDS_TOO_LOW', message, { token, balance, amount })
    }
    await approve({ token, spender: contracts.channels, amount })
  }

  async function nameDelegate(order: { channel: Channel; lane: number; key: Hex; cap: bigint }): Promise<void> {
    await chain.send('channels', 'setDelegate', [order.channel.config, order.lane, order.key, order.cap])
  }

  async function freeLane(channel: Channel): Promise<number> {
    for (let lane = 1; ; lane++) {
      const { key, claimed } = await chain.read.channels.laneOf([channel.id, lane])
      if (key === NOBODY && claimed === 0n) return lane
    }
  }

  return {
    address,
    chain,
    approve,
    nameDelegate,

    /** What the wallet holds of SALT and of each token of the deployment, and of the chain's coin for gas, in wei. */
    async balances(): Promise<{ coin: bigint; tokens: Balance[] }> {
      const salt = { symbol: 'SALT', address: contracts.salt, decimals: 18 }
      const tokens = [salt, ...deployment.tokens].map(async (token) => ({
        ...token,
        balance: await chain.erc20(token.address).read.balanceOf([address]),
      }))
      return { coin: await chain.balanceOf(address), tokens: await Promise.all(tokens) }
    },

    /** Opens a channel and pays the first deposit in; approves exactly that much. An open channel of the same salt is returned as it is. */
    async openChannel(order: OpenChannelOptions): Promise<Channel> {
      const { operator, token, amount, signer = address, withdrawDelaySeconds = HOUR_SECONDS } = order
      const salt = order.salt ?? toHex(randomBytes(32))
      const parties = { payer: address, signer: lower(signer), operator: lower(operator), token: lower(token) }
      const config = { ...parties, withdrawDelaySeconds, salt }
      const id = channelIdOf(chainId, contracts.channels, config)
      const { deposited } = await chain.read.channels.channelOf([id])
      if (deposited > 0n) return { id, config }
      await depositable(config.token, amount)
      const receipt = await chain.send('channels', 'open', [config, amount])
      return { id: eventIn(receipt, 'channels', 'Opened').args.channelId, config }
    },

    async topUp(channel: Channel, amount: bigint): Promise<void> {
      await depositable(channel.config.token, amount)
      await chain.send('channels', 'topUp', [channel.config, amount])
    },

    /**
     * A fresh key for an application without a wallet: it can spend up to `cap` of the channel and nothing else. The lane is the first
     * unused one unless named. Keep the returned string as you would a password; it is nowhere else.
     */
    async createApiKey(order: { channel: Channel; cap: bigint; lane?: number }): Promise<string> {
      const { channel, cap } = order
      const delegate = new Uint8Array(randomBytes(32))
      const lane = order.lane ?? (await freeLane(channel))
      const key = encodeApiKey({ channelId: channel.id, lane, secret: delegate })
      await nameDelegate({ channel, lane, key: addressOfSecret(delegate), cap })
      return key
    },

    /** What the chain says of a channel; `left` is what vouchers can still be claimed against. */
    async channelState(channel: Channel) {
      const state = await chain.read.channels.channelOf([channel.id])
      const claimed = state.claimedLane0 + state.claimedOtherLanes
      return { deposited: state.deposited, claimed, left: state.deposited - claimed, withdrawAt: state.withdrawAt }
    },

    /** What the operator has claimed of one lane so far: nothing below it can be spent again. */
    async claimedOf(channel: Channel, lane: number): Promise<bigint> {
      return (await chain.read.channels.laneOf([channel.id, lane])).claimed
    },

    /** Asks for the rest of the deposit. @returns the second (chain time) from which `withdraw` works */
    async requestWithdraw(channel: Channel): Promise<bigint> {
      const receipt = await chain.send('channels', 'requestWithdraw', [channel.config])
      return eventIn(receipt, 'channels', 'WithdrawRequested').args.withdrawAt
    },

    async cancelWithdraw(channel: Channel): Promise<void> {
      await chain.send('channels', 'cancelWithdraw', [channel.config])
    },

    /** Takes back what was not claimed, once the delay is over. @returns token units */
    async withdraw(channel: Channel): Promise<bigint> {
      const receipt = await chain.send('channels', 'withdrawDeposit', [channel.config])
      return eventIn(receipt, 'channels', 'DepositWithdrawn').args.amount
    },

    /** What `createClient` needs to pay out of lane 0 with this wallet's key. */
    payFrom(channel: Channel) {
      if (channel.config.signer !== address) {
        const message = `lane 0 of the channel is signed by ${channel.config.signer}, not by this wallet (${address}): pay with that key`
        throw new PotluckError('NOT_SIGNER', message, { signer: channel.config.signer })
      }
      return { config: channel.config, lane: 0, secret, chainId, channels: contracts.channels }
    },
  }
}

const lower = (address: Hex): Hex => address.toLowerCase() as Hex
