import {
  CHANNEL_HEADER,
  encodeChannelHeader,
  PotluckError,
  type Quote,
  quoteSchema,
  VOUCHER_HEADER,
} from '@potluck/protocol'
import type { PayingLane } from './LanePayer.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A gateway's answer that is no success; `quote` when a voucher would mend it. */
export type Refusal = { status: number; code: string; message: string; quote: Quote | undefined }

export type GatewayHttp = {
  get: (path: string, signal?: AbortSignal) => Promise<Response>
  post: (path: string, body: unknown, voucherHeader?: string, signal?: AbortSignal) => Promise<Response>
}

/** Requests to one gateway in the name of one lane. Rejects only when no answer came. */
export function gatewayHttp(baseUrl: string, lane: PayingLane, fetch: Fetch): GatewayHttp {
  // OpenAI clients are given the address with /v1 at its end: both forms name the same gateway.
  const base = baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '')
  const channel = { [CHANNEL_HEADER]: encodeChannelHeader(lane.config), 'potluck-lane': String(lane.lane) }
  const withSignal = (signal: AbortSignal | undefined) => (signal ? { signal } : {})
  return {
    get: (path, signal) => fetch(`${base}${path}`, { method: 'GET', ...withSignal(signal) }),
    post(path, body, voucherHeader, signal) {
      const voucher = voucherHeader === undefined ? {} : { [VOUCHER_HEADER]: voucherHeader }
      const headers = { 'content-type': 'application/json', ...channel, ...voucher }
      return fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body), ...withSignal(signal) })
    },
  }
}

/** What a response that is not a success says. Never throws for what it says, only when the body breaks off. */
export async function refusalOf(response: Response): Promise<Refusal> {
  return refusalIn(parsed(await response.text()), response.status)
}

/** The refusal in a body, or in the `error` event of a stream. */
export function refusalIn(body: unknown, status: number): Refusal {
  const error = field(body, 'error')
  const [code, message] = [field(error, 'code'), field(error, 'message')]
  const quote = quoteSchema.safeParse(field(body, 'potluck'))
  return {
    status,
    code: typeof code === 'string' ? code : `http_${status}`,
    message: typeof message === 'string' ? message : `status ${status} without a reason`,
    quote: quote.success ? quote.data : undefined,
  }
}

/** GATEWAY_REFUSED with the gateway's own code in `facts.code`. */
export function refused({ status, code, message }: Refusal): PotluckError {
  // Within a stream the status was sent before the trouble began.
  const remedy = status === 200 || status >= 500 || status === 429 || status === 408 ? 'retry' : 'fix-input'
  return new PotluckError(
    'GATEWAY_REFUSED',
    `the gateway refuses (${status} ${code}): ${message}`,
    { status, code },
    { remedy },
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy's page, perhaps: the status says the rest.
    return undefined
  }
}

export const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined
