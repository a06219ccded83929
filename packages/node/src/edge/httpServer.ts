import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { PotluckError } from '@potluck/protocol'

export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean

/** A server whose handlers are asked in turn; the first that answers true has taken the request. */
export async function startHttpServer(
  host: string,
  port: number,
  handlers: readonly Handler[],
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    if (handlers.some((handler) => handler(request, response))) return
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({ error: { code: 'NOT_FOUND', message: `nothing is served at ${request.url?.slice(0, 100)}` } }),
    )
  })
  server.requestTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      const message = taken
        ? `port ${port} on ${host} is taken: stop what uses it, or choose another with httpPort`
        : `cannot listen on ${host}:${port}: ${cause.message}`
      reject(
        new PotluckError(
          taken ? 'PORT_TAKEN' : 'LISTEN_FAILED',
          message,
          { host, port },
          { cause, remedy: 'fix-setup' },
        ),
      )
    })
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return { server, url: `http://${host}:${bound}` }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item)))
}
