/** What explanations read from the tables: money movements in the order of the chain and how they hang together. */
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { firstRow, type Queryable, rows } from '../database/rows.ts'

const movement = z.object({
  seq: count,
  block: count,
  tx: hex,
  kind: z.string(),
  token: hex,
  amount,
  /** Of a pull: the child. */
  version: count.nullable(),
  parent: count.nullable(),
  account: hex.nullable(),
  /** Any 64-bit number: whoever makes a tree chooses it. */
  position: amount.nullable(),
  job: count.nullable(),
  channel: hex.nullable(),
  cumulative: amount.nullable(),
})
export type Movement = z.output<typeof movement>

const settlement = z.object({
  seq: count,
  block: count,
  tx: hex,
  operator: hex,
  token: hex,
  version: count,
  provider: hex,
  providerShare: count,
  gateway: hex,
  gatewayShare: count,
  toVersion: amount,
  toProvider: amount,
  toGateway: amount,
  paidSeq: count.nullable(),
})
export type Settlement = z.output<typeof settlement>

const voucher = z.object({
  seq: count,
  block: count,
  tx: hex,
  channel: hex,
  lane: count,
  cumulative: amount,
  amount,
  requestHash: hex,
  settlement: count.nullable(),
})
export type Voucher = z.output<typeof voucher>

const receipt = z.object({
  id: hex,
  requestHash: hex,
  version: count,
  gateway: hex,
  provider: hex,
  channel: hex,
  lane: count,
  from: amount,
  to: amount,
  promptTokens: count,
  completionTokens: count,
  atMs: count,
})
export type Receipt = z.output<typeof receipt>

const BLOCK = 'seq / 1000000 AS block'
const MOVEMENT = `SELECT seq, ${BLOCK}, tx_hash AS tx, kind, token, amount, version, parent, account, position, job, channel, cumulative FROM payments`
const SETTLEMENT = `SELECT seq, ${BLOCK}, tx_hash AS tx, operator, token, version, provider, provider_share AS "providerShare", gateway,
  gateway_share AS "gatewayShare", to_version AS "toVersion", to_provider AS "toProvider", to_gateway AS "toGateway", paid_seq AS "paidSeq"
  FROM settlements`
const VOUCHER = `SELECT seq, ${BLOCK}, tx_hash AS tx, channel, lane, cumulative, amount, request_hash AS "requestHash", settlement FROM vouchers`
const RECEIPT = `SELECT id, request_hash AS "requestHash", version, gateway, provider, channel, lane, from_amount AS "from", to_amount AS "to",
  prompt_tokens AS "promptTokens", completion_tokens AS "completionTokens", at_ms AS "atMs" FROM receipts`

export class Records {
  readonly database: Queryable

  constructor(database: Queryable) {
    this.database = database
  }

  movementsIn(tx: string): Promise<Movement[]> {
    return rows(this.database, movement, `${MOVEMENT} WHERE tx_hash = $1 ORDER BY seq`, [tx])
  }

  movementsOf(account: string, kinds: readonly string[]): Promise<Movement[]> {
    return rows(this.database, movement, `${MOVEMENT} WHERE account = $1 AND kind = ANY ($2) ORDER BY seq`, [
      account,
      kinds,
    ])
  }

  /** Movements of these kinds of an account in a token after the last `until`-kind before `seq` and before `seq` itself. */
  since(account: string, token: string, kinds: readonly string[], until: string, seq: number): Promise<Movement[]> {
    return rows(
      this.database,
      movement,
      `${MOVEMENT} WHERE account = $1 AND token = $2 AND kind = ANY ($3) AND seq < $5
        AND seq > COALESCE((SELECT max(seq) FROM payments WHERE account = $1 AND token = $2 AND kind = $4 AND seq < $5), -1) ORDER BY seq`,
      [account, token, kinds, until, seq],
    )
  }

  /** The first movement of a kind of an account in a token after `seq`. */
  async next(account: string, token: string, kind: string, seq: number): Promise<Movement | undefined> {
    const sql = `${MOVEMENT} WHERE account = $1 AND token = $2 AND kind = $3 AND seq > $4 ORDER BY seq LIMIT 1`
    return firstRow(this.database, movement, sql, [account, token, kind, seq])
  }

  /** What flowed into the version between the last movement like `taken` and itself: what it was taken from. */
  inflows(taken: Movement): Promise<Movement[]> {
    return rows(
      this.database,
      movement,
      `${MOVEMENT} WHERE token = $1 AND ((kind = 'paid' AND version = $2) OR (kind = 'pulled' AND parent = $2)) AND seq < $6
        AND seq > COALESCE((SELECT max(seq) FROM payments WHERE token = $1 AND version = $2 AND kind = $3
          AND parent IS NOT DISTINCT FROM $4 AND position IS NOT DISTINCT FROM $5 AND seq < $6), -1) ORDER BY seq`,
      [taken.token, taken.version, taken.kind, taken.parent, taken.position, taken.seq],
    )
  }

  /** For the owner, each parent and each contributor of a version: the first movement after `seq` that took from it. */
  takings(version: number, token: string, seq: number): Promise<Movement[]> {
    return rows(
      this.database,
      movement,
      `SELECT * FROM (SELECT DISTINCT ON (kind, parent, position) * FROM (${MOVEMENT}) m WHERE version = $1 AND token = $2
        AND kind IN ('settled', 'contributed', 'pulled') AND seq > $3 ORDER BY kind, parent, position, seq) t ORDER BY seq`,
      [version, token, seq],
    )
  }

  intoVersion(version: number): Promise<Movement[]> {
    const sql = `${MOVEMENT} WHERE (kind = 'paid' AND version = $1) OR (kind = 'pulled' AND parent = $1) ORDER BY seq`
    return rows(this.database, movement, sql, [version])
  }

  paid(seq: number): Promise<Movement | undefined> {
    return firstRow(this.database, movement, `${MOVEMENT} WHERE seq = $1`, [seq])
  }

  settlementPaying(paidSeq: number): Promise<Settlement | undefined> {
    return firstRow(this.database, settlement, `${SETTLEMENT} WHERE paid_seq = $1`, [paidSeq])
  }

  settlementAt(seq: number): Promise<Settlement | undefined> {
    return firstRow(this.database, settlement, `${SETTLEMENT} WHERE seq = $1`, [seq])
  }

  settlementsIn(tx: string): Promise<Settlement[]> {
    return rows(this.database, settlement, `${SETTLEMENT} WHERE tx_hash = $1 ORDER BY seq`, [tx])
  }

  /** Settlements that credited the account since its last withdrawal of credit before `seq`. */
  settlementsCrediting(account: string, token: string, seq: number): Promise<Settlement[]> {
    return rows(
      this.database,
      settlement,
      `${SETTLEMENT} WHERE token = $2 AND (provider = $1 OR gateway = $1) AND seq < $3
        AND seq > COALESCE((SELECT max(seq) FROM payments WHERE account = $1 AND token = $2 AND kind = 'credit-withdrawn' AND seq < $3), -1)
        ORDER BY seq`,
      [account, token, seq],
    )
  }

  vouchersOf(settlementSeq: number): Promise<Voucher[]> {
    return rows(this.database, voucher, `${VOUCHER} WHERE settlement = $1 ORDER BY seq`, [settlementSeq])
  }

  /** Claims that reach into a stretch of a lane. */
  vouchersOver(r: Receipt): Promise<Voucher[]> {
    return rows(
      this.database,
      voucher,
      `${VOUCHER} WHERE channel = $1 AND lane = $2 AND cumulative > $3 AND cumulative - amount < $4 ORDER BY seq`,
      [r.channel, r.lane, r.from.toString(), r.to.toString()],
    )
  }

  /** Receipts that reach into what a voucher claimed, in the order of the lane. */
  receiptsUnder(v: Voucher): Promise<Receipt[]> {
    return rows(
      this.database,
      receipt,
      `${RECEIPT} WHERE channel = $1 AND lane = $2 AND to_amount > $3 AND from_amount < $4 ORDER BY from_amount, to_amount DESC, id`,
      [v.channel, v.lane, (v.cumulative - v.amount).toString(), v.cumulative.toString()],
    )
  }

  receipts(requestHash: string): Promise<Receipt[]> {
    return rows(this.database, receipt, `${RECEIPT} WHERE request_hash = $1 ORDER BY at_ms, id`, [requestHash])
  }

  /** A node key's node, or the account itself. */
  async nodeOf(account: string): Promise<string> {
    const sql = 'SELECT node FROM node_changes WHERE key = $1 LIMIT 1'
    return (await firstRow(this.database, z.object({ node: hex }), sql, [account]))?.node ?? account
  }
}
