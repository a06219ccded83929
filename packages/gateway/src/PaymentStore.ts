import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  type Allocation,
  allocationHash,
  type CallReceipt,
  type ChannelConfig,
  channelConfig,
  type Hex,
  receiptWire,
  type SignedVoucher,
  sha256,
  toHex,
  type UnsignedReceipt,
  utf8,
} from '@potluck/protocol'
import { type LaneState, laneTerms } from './laneTerms.ts'
import {
  big,
  type CallRecord,
  callOfRow,
  FORGOTTEN,
  hex,
  laneOfRow,
  type PaidStep,
  type Row,
  type Run,
  receiptOfRow,
  runOfRow,
  text,
} from './paymentRecords.ts'
import { paymentSchema } from './paymentSchema.ts'

/**
 * What a gateway was promised and what it delivered for it, on disk before a caller sees a character (G-14).
 *
 * Every change is one transaction of SQLite in WAL mode with `synchronous=FULL`: a process killed at any point restarts with either all of a
 * step (lane, voucher, text, receipt) or nothing of it. `signReceipt` is called within the transaction that ends a call.
 */
export class PaymentStore {
  readonly #db: DatabaseSync
  readonly #gateway: Hex
  readonly #sign: (receipt: UnsignedReceipt) => CallReceipt
  readonly #nowMs: () => number

  constructor(
    file: string,
    options: { gateway: Hex; signReceipt: (receipt: UnsignedReceipt) => CallReceipt; nowMs: () => number },
  ) {
    this.#db = new DatabaseSync(file)
    this.#gateway = options.gateway
    this.#sign = options.signReceipt
    this.#nowMs = options.nowMs
    this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;')
    this.#db.exec(paymentSchema)
  }

  close(): void {
    this.#db.close()
  }

  /** Notes a channel and a lane when they are first seen, with what the chain says is claimed. */
  ensureLane(channel: Hex, config: ChannelConfig, channelClaimed: bigint, lane: number, laneClaimed: bigint): void {
    if (this.lane(channel, lane)) return
    this.#transaction(() => {
      const sql = 'INSERT OR IGNORE INTO channels(id, config, baseline) VALUES(?, ?, ?)'
      this.#run(sql, channel, JSON.stringify(config), String(channelClaimed))
      const columns = 'channel, lane, baseline, claimed, accepted, spent, run_from, run_allocation'
      const claimed = String(laneClaimed)
      const values = [channel, lane, claimed, claimed, claimed, claimed, claimed]
      this.#run(`INSERT OR IGNORE INTO lanes(${columns}) VALUES(?, ?, ?, ?, ?, ?, ?, '')`, ...values)
    })
  }

  lane(channel: Hex, lane: number): LaneState | undefined {
    const row = this.#one('SELECT * FROM lanes WHERE channel = ? AND lane = ?', channel, lane)
    return row && laneOfRow(row)
  }

  lanes(channel: Hex): (LaneState & { lane: number; claimed: bigint })[] {
    const rows = this.#all('SELECT * FROM lanes WHERE channel = ? ORDER BY lane', channel)
    return rows.map((row) => ({ lane: Number(row.lane), claimed: big(row, 'claimed'), ...laneOfRow(row) }))
  }

  channel(channel: Hex): ChannelConfig | undefined {
    const row = this.#one('SELECT config FROM channels WHERE id = ?', channel)
    return row && channelConfig.parse(JSON.parse(text(row, 'config')))
  }

  /** All that vouchers of a channel promise, on every lane: never more than its deposit. */
  promised(channel: Hex): bigint {
    const row = this.#one('SELECT baseline FROM channels WHERE id = ?', channel)
    const lanes = this.#all('SELECT accepted, baseline FROM lanes WHERE channel = ?', channel)
    return lanes.reduce(
      (sum, lane) => sum + big(lane, 'accepted') - big(lane, 'baseline'),
      row ? big(row, 'baseline') : 0n,
    )
  }

  /**
   * Takes a voucher for a step of a call and writes down what it buys: compare-and-swap of the lane, all or nothing.
   *
   * The voucher must have been checked against the terms of `expected`; what may have changed since is checked here again.
   */
  accept(step: PaidStep): 'accepted' | 'stale' | 'reused' | 'beyond-deposit' {
    return this.#transaction(() => {
      const { channelId, lane, paid } = step
      const present = this.lane(channelId, lane)
      if (present?.accepted !== step.expected.accepted || present.spent !== step.expected.spent) return 'stale'
      const hash = allocationHash(step.allocation)
      const terms = laneTerms(present, hash, step.price)
      const cumulative = paid?.voucher.cumulative ?? present.accepted
      if (cumulative < terms.due) return 'stale'
      if (paid && this.#one('SELECT 1 FROM vouchers WHERE digest = ?', paid.digest)) return 'reused'
      if (this.promised(channelId) + cumulative - present.accepted > step.deposited) return 'beyond-deposit'
      this.#run(
        'UPDATE lanes SET accepted = ?, spent = ?, run_from = ?, run_allocation = ? WHERE channel = ? AND lane = ?',
        ...[String(cumulative), String(terms.after), String(terms.from), hash, channelId, lane],
      )
      if (paid) {
        this.#run('INSERT INTO vouchers(digest, call) VALUES(?, ?)', paid.digest, step.call.id)
        if (cumulative > terms.from) this.#keepBest(paid.voucher, step.allocation, hash)
      }
      this.#extendCall(step, terms.before, terms.after)
      return 'accepted'
    })
  }

  /** Ends a call without another payment. Does nothing when it has ended already. */
  finishCall(id: string, finish: string): void {
    this.#transaction(() => this.#finish(id, finish))
  }

  call(id: string): CallRecord | undefined {
    const row = this.#one('SELECT * FROM calls WHERE id = ?', id)
    return row && callOfRow(row)
  }

  /** The call that a voucher has paid for; the voucher is the key under which an answer can be asked for again. */
  callOfVoucher(digest: Hex): CallRecord | undefined {
    const row = this.#one('SELECT calls.* FROM calls JOIN vouchers ON call = id WHERE digest = ?', digest)
    return row && callOfRow(row)
  }

  /** Paid calls of this request, or of this idempotency key, oldest first. */
  callsOfRequest(channel: Hex, lane: number, requestHash: Hex): CallRecord[] {
    const sql = 'SELECT * FROM calls WHERE channel = ? AND lane = ? AND request_hash = ? ORDER BY rowid'
    return this.#all(sql, channel, lane, requestHash).map(callOfRow)
  }

  markDelivered(id: string): void {
    this.#run('UPDATE calls SET delivered = 1 WHERE id = ?', id)
  }

  /** Ends calls that nobody came back for, and forgets the text of old ones. Money and receipts stay. */
  sweep(options: { openBeforeMs: number; forgetBeforeMs: number; except: ReadonlySet<string> }): void {
    const open = this.#all('SELECT id FROM calls WHERE finish IS NULL AND at_ms < ?', options.openBeforeMs)
    for (const row of open) if (!options.except.has(text(row, 'id'))) this.finishCall(text(row, 'id'), 'cut')
    this.#transaction(() => {
      const old = 'SELECT id FROM calls WHERE finish IS NOT NULL AND at_ms < ?'
      this.#run(`UPDATE segments SET text = '' WHERE text <> '' AND call IN (${old})`, options.forgetBeforeMs)
      this.#run(
        `UPDATE calls SET text = '', finish = '${FORGOTTEN}', delivered = 1 WHERE text <> '' AND id IN (${old})`,
        options.forgetBeforeMs,
      )
    })
  }

  receiptsAfter(seq: number, limit: number): { seq: number; receipt: CallReceipt }[] {
    const rows = this.#all('SELECT seq, document FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?', seq, limit)
    return rows.map(receiptOfRow)
  }

  unpublishedReceipts(limit: number): { seq: number; receipt: CallReceipt }[] {
    return this.#all('SELECT seq, document FROM receipts WHERE published = 0 ORDER BY seq LIMIT ?', limit).map(
      receiptOfRow,
    )
  }

  markPublished(seqs: readonly number[]): void {
    this.#transaction(() => {
      for (const seq of seqs) this.#run('UPDATE receipts SET published = 1 WHERE seq = ?', seq)
    })
  }

  /** Best vouchers of runs not known to be claimed; within a lane in the order in which they must be claimed. */
  openRuns(): Run[] {
    const rows = this.#all('SELECT * FROM runs WHERE claimed = 0 ORDER BY channel, lane, length(run_from), run_from')
    return rows.map(runOfRow)
  }

  /** What vouchers promise beyond what is known to be claimed. */
  owed(): bigint {
    const rows = this.#all('SELECT accepted, claimed FROM lanes')
    return rows.reduce((sum, row) => sum + big(row, 'accepted') - big(row, 'claimed'), 0n)
  }

  /** Notes what the chain has paid of a lane. */
  noteClaimed(channel: Hex, lane: number, claimed: bigint): void {
    this.#run('UPDATE lanes SET claimed = ? WHERE channel = ? AND lane = ?', String(claimed), channel, lane)
  }

  /** Closes a run whose best voucher is claimed; one that grew meanwhile stays open. */
  markClaimed(channel: Hex, lane: number, from: bigint, claimed: bigint): void {
    const sql = 'UPDATE runs SET claimed = 1 WHERE channel = ? AND lane = ? AND run_from = ? AND cumulative = ?'
    this.#run(sql, channel, lane, String(from), String(claimed))
  }

  startSettlement(items: string): number {
    const result = this.#run('INSERT INTO settlements(at_ms, items) VALUES(?, ?)', this.#nowMs(), items)
    return Number(result.lastInsertRowid)
  }

  endSettlement(id: number, tx: Hex): void {
    this.#run('UPDATE settlements SET tx = ? WHERE id = ?', tx, id)
  }

  #keepBest(voucher: SignedVoucher, allocation: Allocation, hash: Hex): void {
    const { channelId, lane, from, cumulative, requestHash, signature } = voucher
    const columns = 'channel, lane, run_from, allocation, allocation_hash, cumulative, request_hash, signature, claimed'
    this.#run(
      `INSERT OR REPLACE INTO runs(${columns}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      ...[channelId, lane, String(from), JSON.stringify(allocation), hash],
      ...[String(cumulative), requestHash, signature],
    )
  }

  #extendCall(step: PaidStep, before: bigint, after: bigint): void {
    const { call, channelId, lane, promptTokens, completionTokens } = step
    const columns =
      'id, channel, lane, request_hash, idempotency_key, version, model_digest, prompt_tokens, completion_tokens, text, at_ms'
    this.#run(
      `INSERT INTO calls(${columns}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT(id) DO UPDATE SET prompt_tokens = prompt_tokens + excluded.prompt_tokens,
       completion_tokens = completion_tokens + excluded.completion_tokens, text = text || excluded.text, at_ms = excluded.at_ms`,
      ...[call.id, channelId, lane, call.requestHash, call.idempotencyKey, call.version, call.modelDigest],
      ...[promptTokens, completionTokens, step.text, this.#nowMs()],
    )
    // A receipt covers one stretch of the lane: steps of a call that follow each other share one.
    const last = this.#one('SELECT * FROM segments WHERE call = ? ORDER BY seq DESC LIMIT 1', call.id)
    const provider = step.allocation.provider
    if (last && big(last, 'amount_to') === before && last.provider === provider) {
      this.#run(
        `UPDATE segments SET amount_to = ?, prompt_tokens = prompt_tokens + ?, completion_tokens = completion_tokens + ?, text = text || ?
         WHERE call = ? AND seq = ?`,
        ...[String(after), promptTokens, completionTokens, step.text, call.id, Number(last.seq)],
      )
    } else {
      this.#run(
        'INSERT INTO segments(call, seq, amount_from, amount_to, prompt_tokens, completion_tokens, text, provider) VALUES(?, ?, ?, ?, ?, ?, ?, ?)',
        ...[call.id, last ? Number(last.seq) + 1 : 0, String(before), String(after)],
        ...[promptTokens, completionTokens, step.text, provider],
      )
    }
    if (step.finish !== null) this.#finish(call.id, step.finish)
  }

  #finish(id: string, finish: string): void {
    const { changes } = this.#run('UPDATE calls SET finish = ? WHERE id = ? AND finish IS NULL', finish, id)
    const call = this.call(id)
    if (changes === 0 || call === undefined) return
    for (const row of this.#all('SELECT * FROM segments WHERE call = ? ORDER BY seq', id)) {
      const receipt = this.#sign({
        type: 'receipt',
        requestHash: call.requestHash,
        responseHash: toHex(sha256(utf8(text(row, 'text')))),
        version: call.version,
        modelDigest: call.modelDigest,
        gateway: this.#gateway,
        provider: hex(row, 'provider'),
        channel: call.channel,
        lane: call.lane,
        from: big(row, 'amount_from'),
        to: big(row, 'amount_to'),
        promptTokens: Number(row.prompt_tokens),
        completionTokens: Number(row.completion_tokens),
        atMs: this.#nowMs(),
      })
      this.#run('INSERT INTO receipts(document) VALUES(?)', JSON.stringify(receiptWire(receipt)))
    }
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #run(sql: string, ...values: SQLInputValue[]) {
    return this.#db.prepare(sql).run(...values)
  }

  #one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#db.prepare(sql).get(...values) as Row | undefined
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Row[]
  }
}
