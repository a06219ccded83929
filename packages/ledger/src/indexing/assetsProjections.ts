import { insertPayment, insertRow, type Projections, wantDocument } from './projection.ts'

const PPM = 1_000_000n

/** Assets, versions, lineage, and the money in them. */
export const assetsProjections: Projections = {
  'assets.AssetCreated': (database, { seq, args }) =>
    insertRow(database, 'asset_creations', {
      seq,
      asset: args.whole('assetId'),
      originator: args.hex('originator'),
      tokens: args.list('tokens'),
    }),
  'assets.Transfer': (database, { seq, args }) =>
    insertRow(database, 'asset_owners', { seq, asset: args.whole('tokenId'), owner: args.hex('to') }),
  'assets.VersionAdded': async (database, { seq, args }) => {
    const terms = args.struct('terms')
    const [parents, shares] = [terms.list('parents'), terms.list('shares')]
    const given = shares.reduce((sum, share) => sum + BigInt(share), BigInt(terms.whole('contributorsShare')))
    const child = args.whole('version')
    await insertRow(database, 'versions', {
      seq,
      version: child,
      asset: args.whole('assetId'),
      originator: args.hex('originator'),
      codec: terms.whole('codec'),
      digest: terms.hex('digest'),
      root: terms.hex('root'),
      licence_digest: terms.hex('licenceDigest'),
      metadata_digest: terms.hex('metadataDigest'),
      purposes: terms.whole('purposes'),
      min_share: terms.whole('minShare'),
      owner_share: (PPM - given).toString(),
      contributors_share: terms.whole('contributorsShare'),
      contributors_root: terms.hex('contributorsRoot'),
      contributors_total: terms.whole('contributorsTotal'),
      train_price: terms.whole('trainPrice'),
    })
    for (const [i, parent] of parents.entries())
      await insertRow(database, 'parents', { seq, child, parent, share: shares[i] })
    await wantDocument(database, terms.hex('metadataDigest'))
  },
  'assets.Paid': async (database, event, contracts) => {
    const { args } = event
    const [version, token, amount] = [args.whole('version'), args.hex('token'), args.whole('amount')]
    await insertPayment(database, event, { kind: 'paid', token, amount, version, account: args.hex('payer') })
    if (args.hex('payer') !== contracts.channels) return
    await database.query(
      `UPDATE settlements SET paid_seq = $1 WHERE seq = (SELECT min(seq) FROM settlements
        WHERE tx_hash = $2 AND version = $3 AND token = $4 AND to_version = $5 AND paid_seq IS NULL)`,
      [event.seq, event.txHash, version, token, amount],
    )
  },
  'assets.Pulled': (database, event) =>
    insertPayment(database, event, {
      kind: 'pulled',
      token: event.args.hex('token'),
      amount: event.args.whole('amount'),
      version: event.args.whole('child'),
      parent: event.args.whole('parent'),
    }),
  'assets.Settled': (database, event) =>
    insertPayment(database, event, {
      kind: 'settled',
      token: event.args.hex('token'),
      amount: event.args.whole('amount'),
      version: event.args.whole('version'),
      account: event.args.hex('owner'),
    }),
  'assets.ContributorCredited': (database, event) =>
    insertPayment(database, event, {
      kind: 'contributed',
      token: event.args.hex('token'),
      amount: event.args.whole('amount'),
      version: event.args.whole('version'),
      account: event.args.hex('account'),
      position: event.args.whole('index'),
    }),
  'assets.Withdrawn': (database, event) =>
    insertPayment(database, event, {
      kind: 'withdrawn',
      token: event.args.hex('token'),
      amount: event.args.whole('amount'),
      account: event.args.hex('account'),
    }),
}
