import { fields as f } from '@potluck/protocol'
import { z } from 'zod'

const count = (fallback: number, most: number) => z.number().int().min(1).max(most).default(fallback)
const ms = (fallback: number) => z.number().int().min(0).max(86_400_000).default(fallback)
const ppm = z.number().int().min(0).max(1_000_000)

/** Token units for one character of a prompt, one character of an answer, one row of a prediction. */
const price = f.amount.refine((units) => units >= 1n && units <= 10n ** 18n, 'a price is 1 to 10^18 token units')
export const prices = z
  .object({ prompt: price.default('1'), completion: price.default('1'), predict: price.default('1000') })
  .strict()
export type Prices = z.infer<typeof prices>

/** Every option of a gateway, with its default. Amounts are decimal strings of token units, times end in their unit. */
export const gatewayConfig = z
  .object({
    /** The account that claims: part of every channel's id, and the sender of settlements. */
    operator: f.address,
    /** The account credited with the gateway's share. */
    gateway: f.address,
    /** The token of channels taken here. */
    token: f.address,
    /** Shares of a payment in millionths; what is left goes to the model's version. */
    providerShare: ppm.default(300_000),
    gatewayShare: ppm.default(100_000),
    prices: prices.default({}),
    /** Prices of single versions, by version number. */
    modelPrices: z.record(z.string().regex(/^[1-9]\d{0,15}$/), prices).default({}),
    /** Tokens paid at once in a stream: the most that either side can lose to the other. */
    stepTokens: count(16, 4_096),
    /** The longest answer; an answer of unstated length is this long for chat, 16 for completions. */
    maxTokens: count(256, 65_536),
    /** Rows of one prediction. */
    maxRows: count(256, 65_536),
    bodyLimitBytes: count(262_144, 16_777_216),
    /** Requests at work at one time for one lane of a channel. */
    concurrentPerKey: count(4, 1_000),
    requestTimeoutMs: ms(60_000),
    /** How long a paused stream waits for its next voucher. */
    voucherTimeoutMs: ms(30_000),
    /** Answers made and not paid yet, per channel, and how long one is kept. */
    unpaidPerChannel: count(4, 1_000),
    unpaidMs: ms(60_000),
    /** How long a paid answer can be asked for again with its voucher. */
    keepAnswersMs: ms(86_400_000),
    /** How old a view of the chain may be before it is read again. */
    chainCacheMs: ms(2_000),
    /** Channels whose payer could leave faster than this are refused: vouchers could not be claimed in time. */
    minWithdrawDelaySeconds: z.number().int().min(0).max(4_294_967_295).default(60),
    /** Settles by itself once this much is owed (0: never by amount) and every so often (0: never by time). */
    settleThreshold: f.amount.default('0'),
    settleEveryMs: ms(0),
    /** Vouchers in one settlement transaction. */
    settleBatch: count(50, 500),
    receiptsEveryMs: ms(2_000),
    receiptsBatch: count(100, 1_000),
  })
  .strict()
  .refine((c) => c.providerShare + c.gatewayShare <= 1_000_000, {
    message: 'providerShare and gatewayShare are more than 1000000 together',
    path: ['providerShare'],
  })
export type GatewayConfig = z.infer<typeof gatewayConfig>
export type GatewayConfigInput = z.input<typeof gatewayConfig>
