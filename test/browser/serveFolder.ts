import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'

export type FolderServer = { readonly url: string; close(): void }

/** Serves the files of a folder and an empty page on the loopback address; `isolated` allows the page shared memory. */
export async function serveFolder(folder: string, isolated: boolean): Promise<FolderServer> {
  const server = createServer(async (request, response) => {
    const name = basename(request.url ?? '/')
    const isScript = name.endsWith('.js')
    const body = isScript
      ? await readFile(join(folder, name)).catch(() => null)
      : '<!doctype html><title>engine</title>'
    response.writeHead(body === null ? 404 : 200, {
      'content-type': isScript ? 'text/javascript' : 'text/html',
      ...(isolated
        ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
        : {}),
    })
    response.end(body)
  })
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
