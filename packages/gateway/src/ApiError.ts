import { codeOf } from '@potluck/protocol'

/** Every code an answer can carry, with its HTTP status and the kind of error OpenAI's clients know. One table for all routes. */
export const errorTable = {
  bad_request: [400, 'invalid_request_error'],
  unsupported_parameter: [400, 'invalid_request_error'],
  invalid_inputs: [400, 'invalid_request_error'],
  bad_voucher_header: [400, 'invalid_request_error'],
  bad_channel_header: [400, 'invalid_request_error'],
  invalid_api_key: [401, 'invalid_request_error'],
  payment_required: [402, 'payment_required'],
  insufficient_funds: [402, 'payment_required'],
  channel_unknown: [402, 'payment_required'],
  channel_closing: [402, 'payment_required'],
  channel_unsuitable: [402, 'payment_required'],
  lane_unknown: [402, 'payment_required'],
  lane_changing: [402, 'payment_required'],
  voucher_other_channel: [402, 'payment_required'],
  voucher_other_lane: [402, 'payment_required'],
  voucher_other_request: [402, 'payment_required'],
  voucher_other_allocation: [402, 'payment_required'],
  voucher_wrong_from: [402, 'payment_required'],
  voucher_too_small: [402, 'payment_required'],
  voucher_beyond_deposit: [402, 'payment_required'],
  voucher_beyond_cap: [402, 'payment_required'],
  voucher_wrong_signer: [402, 'payment_required'],
  voucher_stale: [409, 'payment_required'],
  voucher_reused: [409, 'payment_required'],
  model_not_found: [404, 'invalid_request_error'],
  not_found: [404, 'invalid_request_error'],
  no_open_call: [404, 'invalid_request_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  body_too_large: [413, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  too_many_unpaid: [429, 'rate_limit_error'],
  client_closed: [499, 'invalid_request_error'],
  voucher_timeout: [408, 'payment_required'],
  internal: [500, 'server_error'],
  provider_diverged: [502, 'server_error'],
  provider_failed: [502, 'server_error'],
  no_provider: [503, 'server_error'],
  chain_unreachable: [503, 'server_error'],
  timeout: [504, 'server_error'],
} as const satisfies Record<string, readonly [status: number, type: string]>

export type ErrorCode = keyof typeof errorTable

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code)

/** An answer that is a refusal or a failure, on its way to the caller. `extra` is laid beside `error` in the JSON. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly param: string | null
  readonly extra: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    options: { param?: string; extra?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.code = code
    this.param = options.param ?? null
    this.extra = options.extra ?? {}
  }

  get status(): number {
    return errorTable[this.code][0]
  }

  /** OpenAI's shape. */
  get body(): Record<string, unknown> {
    const { message, param, code } = this
    return { error: { message, type: errorTable[code][1], param, code }, ...this.extra }
  }
}

// Codes thrown below the edge, and what a caller is told of them.
const known: Readonly<Record<string, ErrorCode>> = {
  BAD_API_KEY: 'invalid_api_key',
  BAD_VOUCHER_HEADER: 'bad_voucher_header',
  BAD_CHANNEL_HEADER: 'bad_channel_header',
  BAD_BODY: 'bad_request',
  RPC_UNREACHABLE: 'chain_unreachable',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'bad_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad_request',
}

/** What to tell the caller about anything thrown. What is not known to be harmless is `internal`, without its message. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const thrown = error instanceof Error ? error : new Error('something that is no error was thrown')
  if (thrown.name === 'TimeoutError') return new ApiError('timeout', 'the answer took too long: ask for fewer tokens')
  if (thrown.name === 'AbortError') return new ApiError('client_closed', 'the caller left before the answer was ready')
  const code = known[codeOf(error) ?? '']
  if (code !== undefined) return new ApiError(code, thrown.message, { cause: error })
  if (thrown instanceof SyntaxError) return new ApiError('bad_request', `the body is not JSON: ${thrown.message}`)
  return new ApiError('internal', 'the gateway failed on this request: try again later', { cause: error })
}
