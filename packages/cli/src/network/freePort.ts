import { createServer } from 'node:net'

/** A TCP port on loopback that nobody uses now; `preferred` when it is free. */
export async function freePort(preferred = 0): Promise<number> {
  const taken = await new Promise<number | undefined>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(preferred, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : undefined
      server.close(() => resolve(port))
    })
  })
  return taken ?? (preferred === 0 ? Promise.reject(new Error('no free port on loopback')) : freePort())
}
