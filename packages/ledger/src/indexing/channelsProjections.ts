import { z } from 'zod'
import { hex } from '../database/columns.ts'
import { firstRow, type Queryable } from '../database/rows.ts'
import { insertPayment, insertRow, type PlacedEvent, type Projections } from './projection.ts'

/** Channels, vouchers and what they settled. */
export const channelsProjections: Projections = {
  'channels.Opened': async (database, event) => {
    const config = event.args.struct('config')
    const channel = event.args.hex('channelId')
    await insertRow(database, 'channels', {
      seq: event.seq,
      channel,
      payer: config.hex('payer'),
      signer: config.hex('signer'),
      operator: config.hex('operator'),
      token: config.hex('token'),
      withdraw_delay: config.whole('withdrawDelaySeconds'),
      salt: config.hex('salt'),
    })
    await channelMove(database, event, 'deposited')
  },
  'channels.ToppedUp': (database, event) => channelMove(database, event, 'deposited'),
  'channels.DepositWithdrawn': (database, event) => channelMove(database, event, 'deposit-returned'),
  'channels.CreditWithdrawn': (database, event) =>
    insertPayment(database, event, {
      kind: 'credit-withdrawn',
      token: event.args.hex('token'),
      amount: event.args.whole('amount'),
      account: event.args.hex('account'),
    }),
  'channels.Claimed': (database, { seq, txHash, args }) =>
    insertRow(database, 'vouchers', {
      seq,
      tx_hash: txHash,
      channel: args.hex('channelId'),
      lane: args.whole('lane'),
      cumulative: args.whole('cumulative'),
      amount: args.whole('amount'),
      request_hash: args.hex('requestHash'),
    }),
  'channels.GroupPaid': async (database, { seq, txHash, args }) => {
    const allocation = args.struct('allocation')
    await insertRow(database, 'settlements', {
      seq,
      tx_hash: txHash,
      operator: args.hex('operator'),
      token: args.hex('token'),
      version: args.whole('version'),
      provider: allocation.hex('provider'),
      provider_share: allocation.whole('providerShare'),
      gateway: allocation.hex('gateway'),
      gateway_share: allocation.whole('gatewayShare'),
      to_version: args.whole('toVersion'),
      to_provider: args.whole('toProvider'),
      to_gateway: args.whole('toGateway'),
    })
    // A group's vouchers are claimed before the group is paid.
    await database.query('UPDATE vouchers SET settlement = $1 WHERE tx_hash = $2 AND settlement IS NULL AND seq < $1', [
      seq,
      txHash,
    ])
  },
}

async function channelMove(database: Queryable, event: PlacedEvent, kind: string): Promise<void> {
  const channel = event.args.hex('channelId')
  const owner = await firstRow(
    database,
    z.object({ payer: hex, token: hex }),
    'SELECT payer, token FROM channels WHERE channel = $1 LIMIT 1',
    [channel],
  )
  await insertPayment(database, event, {
    kind,
    token: owner?.token ?? '0x',
    amount: event.args.whole('amount'),
    account: owner?.payer ?? null,
    channel,
  })
}
