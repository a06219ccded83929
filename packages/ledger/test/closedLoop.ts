/**
 * A small closed loop with odd amounts, worked out by hand.
 *
 * Version 1 (a hospital's) is the parent, at 25 %, of version 2, a model made by job 1 with 10 % for its contributors. Calls worth 157
 * are settled: 47 to the provider (30 %), 15 to the gateway (10 %), 95 to version 2, of which 23 go up, 61 to the owner and 9 to the
 * contributors (6 and 2 of it; 1 and 2 are dust). The hospital also got the training price of 5.
 */
import { encode } from '@ipld/dag-cbor'
import {
  addressOfSecret,
  type CallReceipt,
  encodeReceiptBatch,
  type Hex,
  sha256,
  signReceipt,
  toHex,
  utf8,
} from '@potluck/protocol'
import { address, hashOf, type ScriptedChain } from './ScriptedChain.ts'

const NONE = `0x${'0'.repeat(64)}`
export const USD = address('usd')
export const who = {
  hospital: address('hospital'),
  builder: address('builder'),
  provider: address('provider'),
  gateway: address('gateway'),
  payer: address('payer'),
  honest: address('honest worker'),
  second: address('second worker'),
  liar: address('liar'),
  killed: address('killed worker'),
}
export const gatewaySecret = sha256(utf8('gateway secret'))
export const channel = hashOf('channel')

const blocks = new Map<Hex, Uint8Array>()
const put = (bytes: Uint8Array): Hex => {
  const digest = toHex(sha256(bytes))
  blocks.set(digest, bytes)
  return digest
}
/** What the store of the network holds. */
export const documents: ReadonlyMap<Hex, Uint8Array> = blocks

const dataset = put(
  encode({
    type: 'asset',
    name: 'Hearts',
    kind: 'dataset',
    description: '',
    licence: '',
    source: '',
    size: 303,
    unit: 'rows',
    columns: [],
    private: true,
  }),
)
const payout = put(
  encode({
    type: 'payout',
    job: 1,
    round: 0,
    leaves: [
      { account: who.honest, amount: '70' },
      { account: who.second, amount: '30' },
    ],
  }),
)
export const lie = hashOf('the lie')
const claim = (
  worker: Hex,
  share: number,
  outcome: string,
  pay: string,
  { hash = hashOf(`claim ${share}`), ...more }: { hash?: Hex; contribution?: object } = {},
) => ({
  hash,
  worker,
  share,
  ratePpm: 250_000,
  auditor: outcome === 'not-drawn' ? null : address('validator 1'),
  outcome,
  weightPpm: pay === '0' ? 0 : 333_333,
  pay,
  ...more,
})
const contribution = (valueMicro: number, countedMicro: number, finding: object | null = null) => ({
  contribution: { valueMicro, countedMicro, finding },
})
const reported = {
  type: 'audit',
  job: 1,
  round: 0,
  beacon: hashOf('beacon'),
  claims: [
    claim(who.honest, 0, 'matches', '40', contribution(52_340, 41_000)),
    claim(who.second, 1, 'not-drawn', '30', contribution(10_000, 0, { kind: 'copy', share: 0 })),
    claim(who.liar, 2, 'wrong', '0', { hash: lie }),
    claim(who.honest, 3, 'not-drawn', '30', contribution(-1_500, -1_500)),
  ],
  run: [hashOf('state'), hashOf('update')],
  payout,
}
export const report = put(encode(reported))
/** What somebody else might claim about the same round. */
export const rivalReport = { ...reported, beacon: hashOf('another beacon') }

export function receipt(name: string, lane: number, from: bigint, to: bigint, secret = gatewaySecret): CallReceipt {
  const parties = { gateway: who.gateway, provider: who.provider, channel, lane }
  return signReceipt(
    {
      type: 'receipt',
      requestHash: hashOf(name),
      responseHash: hashOf(`${name} response`),
      version: 2,
      modelDigest: hashOf('model'),
      ...parties,
      from,
      to,
      promptTokens: 12,
      completionTokens: 34,
      atMs: 90_000,
    },
    secret,
  )
}
export const receipts = [receipt('call 1', 0, 0n, 40n), receipt('call 2', 0, 40n, 101n), receipt('call 3', 1, 0n, 50n)]
export const receiptsDigest = put(encodeReceiptBatch(receipts))

const versionTerms = (metadataDigest: Hex, more: Record<string, unknown> = {}) => ({
  codec: 0x55,
  purposes: 31,
  minShare: 0,
  contributorsShare: 0,
  trainPrice: 5n,
  digest: hashOf('content'),
  root: hashOf('root'),
  licenceDigest: NONE,
  metadataDigest,
  contributorsRoot: NONE,
  contributorsTotal: 0n,
  parents: [],
  shares: [],
  ...more,
})
const node = (cold: Hex, key: Hex, roles: number) =>
  ['registry.Registered', { node: cold, key, roles, endpoint: 'http://127.0.0.1:1' }] as [
    string,
    Record<string, unknown>,
  ]
const enrolled = (worker: Hex, index: number) =>
  ['jobs.Enrolled', { jobId: 1n, node: worker, role: 1, index, onionHead: NONE }] as [string, Record<string, unknown>]

/** Writes the whole loop into `chain`; the transactions a test asks about. */
export function playLoop(chain: ScriptedChain): { conviction: Hex; settlement: Hex; withdrawal: Hex; workPay: Hex } {
  const { jobs, channels, assets, registry, salt } = chain.deployment.contracts
  const workers = [who.honest, who.second, who.liar, who.killed]
  chain.mine(
    ...workers.map((worker, i) => node(worker, address(`worker key ${i}`), 1)),
    node(who.gateway, addressOfSecret(gatewaySecret), 16),
    ['registry.Bonded', { node: who.liar, amount: 50n }],
  )
  chain.mine(
    ['assets.Transfer', { from: address('zero'), to: who.hospital, tokenId: 1n }],
    ['assets.AssetCreated', { assetId: 1n, owner: who.hospital, originator: who.hospital, tokens: [USD] }],
    ['assets.VersionAdded', { assetId: 1n, version: 1n, originator: who.hospital, terms: versionTerms(dataset) }],
  )
  const terms = { token: USD, rounds: 3, payPerRound: 100n, trustClass: 0, specDigest: NONE }
  chain.mine(
    ['jobs.JobCreated', { jobId: 1n, builder: who.builder, terms }],
    ['assets.Paid', { version: 1n, token: USD, payer: jobs, amount: 5n }],
  )
  chain.mine(...workers.map(enrolled), ['jobs.RoundOpened', { jobId: 1n, round: 0, attempt: 1, committeeSeed: NONE }])
  const challenge = (id: bigint, name: string): [string, Record<string, unknown>] => [
    'referee.Challenged',
    { id, jobId: 1n, subject: lie, challenger: address(name), round: 0, segment: 1, standUpUntil: 100 },
  ]
  const move = (byChallenger: boolean, kind: number): [string, Record<string, unknown>] => [
    'referee.Moved',
    { game: 1n, move: kind, byChallenger, stage: 1, position: 0n, below: 0, picked: NONE, revealed: '0x' },
  ]
  chain.mine(challenge(1n, 'validator 1'), challenge(2n, 'validator 2'))
  chain.mine(
    ['referee.GameOpened', { game: 1n, id: 1n, champion: who.liar, firstStep: 0, start: NONE }],
    move(false, 1),
  )
  chain.mine(move(true, 2), move(false, 4), move(true, 8), [
    'referee.GameEnded',
    { game: 1n, id: 1n, winner: address('validator 1'), by: 8 },
  ])
  const conviction = chain.mine(
    ['registry.Slashed', { locker: jobs, node: who.liar, task: hashOf('task'), burned: 6n, rewarded: 4n }],
    ['jobs.Convicted', { jobId: 1n, round: 0, worker: who.liar, subject: lie, slashed: 10n }],
  )
  const proposal = {
    stateDigest: hashOf('model'),
    stateRoot: hashOf('model root'),
    payoutRoot: hashOf('payout root'),
    auditRoot: report,
    runRoot: hashOf('run'),
    payoutTotal: 100n,
    convictions: 1,
  }
  chain.mine(
    ['jobs.RoundFinal', { jobId: 1n, round: 0, proposal }],
    ['jobs.JobDone', { jobId: 1n, finalRounds: 1, payoutTotal: 100n }],
  )
  const model = versionTerms(NONE as Hex, {
    parents: [1n],
    shares: [250_000],
    contributorsShare: 100_000,
    contributorsRoot: hashOf('payout root'),
    contributorsTotal: 100n,
  })
  chain.mine(
    ['assets.Transfer', { from: address('zero'), to: who.builder, tokenId: 2n }],
    ['assets.AssetCreated', { assetId: 2n, owner: who.builder, originator: jobs, tokens: [USD] }],
    ['assets.VersionAdded', { assetId: 2n, version: 2n, originator: jobs, terms: model }],
    ['jobs.ModelPublished', { jobId: 1n, assetId: 2n, version: 2n }],
  )
  const config = {
    payer: who.payer,
    signer: who.payer,
    operator: who.gateway,
    token: USD,
    withdrawDelaySeconds: 60,
    salt: NONE,
  }
  chain.mine([
    'channels.Opened',
    { channelId: channel, payer: who.payer, operator: who.gateway, config, amount: 1_000n },
  ])
  const allocation = {
    version: 2n,
    provider: who.provider,
    providerShare: 300_000,
    gateway: who.gateway,
    gatewayShare: 100_000,
  }
  const group = {
    operator: who.gateway,
    token: USD,
    version: 2n,
    allocation,
    toVersion: 95n,
    toProvider: 47n,
    toGateway: 15n,
  }
  const settlement = chain.mine(
    [
      'channels.Claimed',
      { channelId: channel, lane: 0, cumulative: 101n, amount: 101n, requestHash: hashOf('call 2') },
    ],
    ['channels.Claimed', { channelId: channel, lane: 1, cumulative: 56n, amount: 56n, requestHash: hashOf('call 3') }],
    ['channels.GroupPaid', group],
    ['assets.Paid', { version: 2n, token: USD, payer: channels, amount: 95n }],
  )
  chain.mine(
    ['assets.Pulled', { child: 2n, parent: 1n, token: USD, amount: 23n }],
    ['assets.Settled', { version: 1n, token: USD, owner: who.hospital, amount: 28n }],
    ['assets.ContributorCredited', { version: 2n, token: USD, account: who.honest, index: 0n, amount: 6n }],
  )
  const withdrawal = chain.mine(['assets.Withdrawn', { token: USD, account: who.hospital, amount: 28n }])
  const workPay = chain.mine(['jobs.PayClaimed', { jobId: 1n, account: who.honest, amount: 70n, cumulative: 70n }])
  chain.balances.set(`${USD}/${assets}`, 95n + 5n - 28n)
  chain.balances.set(`${USD}/${channels}`, 1_000n - 95n)
  chain.balances.set(`${USD}/${jobs}`, 300n - 70n)
  // 6 of the bond were burned.
  chain.balances.set(`${salt}/${registry}`, 50n - 6n)
  return { conviction, settlement, withdrawal, workPay }
}
