import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  addFile,
  type BlockStore,
  blockCid,
  blockUrl,
  type CID,
  createBlockHandler,
  createFetcher,
  type FetcherOptions,
  fetchFile,
  MAX_BLOCK_BYTES,
  memoryBlockStore,
  readFile,
  type SourceFault,
} from './index.ts'
import { parseRange } from './parseRange.ts'

const closers: (() => unknown)[] = []
after(async () => {
  for (const close of closers) await close()
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serveStore(store: BlockStore): Promise<string> {
  const handler = createBlockHandler(store)
  return serve((request, response) => handler(request, response) || response.writeHead(418).end())
}

function fetcherOf(bases: string[], options: Partial<FetcherOptions> = {}) {
  const faults: SourceFault[] = []
  const urls = (cid: CID): string[] => bases.map((base) => blockUrl(base, cid))
  const fetcher = createFetcher({ urls, timeoutMs: 2000, onFault: (fault) => faults.push(fault), ...options })
  closers.push(() => fetcher.close())
  return { ...fetcher, faults }
}

const content = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 17 + (i >> 9)) & 255)
const store = memoryBlockStore()
const cid = await store.put(content)
const honest = await serveStore(store)

test('a block is served whole, in part and as headers alone, to be cached for ever [P-26]', async () => {
  const url = blockUrl(honest, cid)
  const whole = await fetch(url)
  assert.equal(whole.status, 200)
  assert.equal(whole.headers.get('etag'), `"${cid}"`)
  assert.match(whole.headers.get('cache-control') ?? '', /immutable/)
  assert.equal(Buffer.compare(new Uint8Array(await whole.arrayBuffer()), content), 0)
  const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
  assert.equal(part.status, 206)
  assert.equal(part.headers.get('content-range'), 'bytes 100-199/200000')
  assert.equal(Buffer.compare(new Uint8Array(await part.arrayBuffer()), content.subarray(100, 200)), 0)
  const head = await fetch(url, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '200000')
  assert.equal((await head.arrayBuffer()).byteLength, 0)
  assert.equal((await fetch(url, { headers: { 'if-none-match': `"${cid}"` } })).status, 304)
  const beyond = await fetch(url, { headers: { range: 'bytes=200000-' } })
  assert.equal(beyond.status, 416)
  assert.equal(beyond.headers.get('content-range'), 'bytes */200000')
})

test('a range is read by the letter, and anything unusual means the whole body [P-26]', () => {
  assert.deepEqual(parseRange('bytes=0-0', 10), { first: 0, end: 1 })
  assert.deepEqual(parseRange('bytes=5-', 10), { first: 5, end: 10 })
  assert.deepEqual(parseRange('bytes=5-99', 10), { first: 5, end: 10 })
  assert.deepEqual(parseRange('bytes=-3', 10), { first: 7, end: 10 })
  assert.deepEqual(parseRange('bytes=-99', 10), { first: 0, end: 10 })
  assert.equal(parseRange('bytes=10-', 10), 'unsatisfiable')
  assert.equal(parseRange('bytes=-0', 10), 'unsatisfiable')
  for (const odd of [undefined, '', 'bytes=-', 'bytes=3-1', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=1e3-', 'bytes=0x1-']) {
    assert.equal(parseRange(odd, 10), undefined, odd)
  }
})

test('what is absent or malformed gets a JSON error, and foreign paths are left alone [P-26]', async () => {
  const absent = blockCid(new Uint8Array([1]))
  const cases: [string, number, string][] = [
    [`/blocks/${absent}`, 404, 'NOT_FOUND'],
    ['/blocks/', 400, 'BAD_CID'],
    ['/blocks/%00%ff', 400, 'BAD_CID'],
    [`/blocks/${'b'.repeat(2000)}`, 400, 'BAD_CID'],
    [`/ipfs/${cid}`, 400, 'BAD_FORMAT'],
    [`/ipfs/${absent}?format=car`, 404, 'NOT_FOUND'],
  ]
  for (const [path, status, code] of cases) {
    const answer = await fetch(honest + path)
    assert.equal(answer.status, status, path)
    const body = (await answer.json()) as { error: { code: string; message: string } }
    assert.equal(body.error.code, code, path)
    assert.ok(body.error.message.length > 10)
  }
  assert.equal((await fetch(blockUrl(honest, cid), { method: 'POST', body: 'x' })).status, 405)
  assert.equal((await fetch(`${honest}/elsewhere`)).status, 418)
  assert.equal((await fetch(`${honest}/blocks/${cid}/../../etc/passwd`)).status, 418)
})

test('raw garbage and askers that hang up do not stop the server [P-26]', async () => {
  const { hostname, port } = new URL(honest)
  for (const text of [
    '\0\0\0',
    'GET /blocks/\r\n\r\n',
    `GET /blocks/${cid} HTTP/1.1\r\nhost: x\r\nrange: ${'9'.repeat(3000)}\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => socket.destroy())
    socket.write(text)
    await sleep(20)
    socket.destroy()
  }
  await new Promise<void>((done) => {
    const asked = request(blockUrl(honest, cid), (response) => {
      response.once('data', () => {
        response.destroy()
        done()
      })
    })
    asked.end()
  })
  assert.equal((await fetch(blockUrl(honest, cid))).status, 200)
})

test('a failing disk is a 500 that is reported, and the next request is served [P-26]', async () => {
  const errors: unknown[] = []
  let broken = true
  const failing: BlockStore = {
    ...store,
    get: (wanted) => (broken ? Promise.reject(new Error('EIO')) : store.get(wanted)),
  }
  const handler = createBlockHandler(failing, { onError: (error) => errors.push(error) })
  const base = await serve(handler)
  assert.equal((await fetch(blockUrl(base, cid))).status, 500)
  assert.equal(errors.length, 1)
  broken = false
  assert.equal((await fetch(blockUrl(base, cid))).status, 200)
})

test('a server that lies is named, and the next source delivers [P-27]', async () => {
  let asked = 0
  const liar = await serve((_, response) => {
    asked++
    response.end(content.map((byte) => byte ^ 1))
  })
  const fetcher = fetcherOf([liar, honest])
  assert.equal(Buffer.compare(await fetcher.fetchBlock(cid), content), 0)
  assert.deepEqual(
    fetcher.faults.map((fault) => [new URL(fault.url).origin, fault.lied]),
    [[liar, true]],
  )
  await fetcher.fetchBlock(cid)
  assert.equal(asked, 1, 'a source that lied comes last afterwards')
  const alone = fetcherOf([liar])
  await assert.rejects(alone.fetchBlock(cid), (error: Error) => {
    assert.ok('code' in error && error.code === 'BAD_BLOCK')
    return error.message.includes(liar) && error.message.includes('other bytes')
  })
})

test('a transfer that dies halfway goes on where it stopped [P-28]', async () => {
  const ranges: (string | undefined)[] = []
  const handler = createBlockHandler(store)
  const fragile = await serve((request, response) => {
    ranges.push(request.headers.range)
    if (ranges.length > 2) return handler(request, response)
    const first = Number(/\d+/.exec(request.headers.range ?? '0')?.[0])
    const headers = { 'content-length': content.length - first, 'content-range': `bytes ${first}-199999/200000` }
    response.writeHead(first === 0 ? 200 : 206, headers)
    response.write(content.subarray(first, first + 70_000), () => setTimeout(() => response.destroy(), 30))
  })
  const fetcher = fetcherOf([fragile])
  assert.equal(Buffer.compare(await fetcher.fetchBlock(cid), content), 0)
  assert.deepEqual(ranges, [undefined, 'bytes=70000-', 'bytes=140000-'])
  assert.deepEqual(fetcher.faults, [])
})

test('a server that ignores the range on resuming is read from the start [P-28]', async () => {
  let asked = 0
  const stubborn = await serve((_, response) => {
    response.writeHead(200, { 'content-length': content.length })
    if (asked++ > 0) response.end(content)
    else response.write(content.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 30))
  })
  assert.equal(Buffer.compare(await fetcherOf([stubborn]).fetchBlock(cid), content), 0)
  assert.equal(asked, 2)
})

test('a wrong or cut range on resuming counts against the source, not into the block [P-28]', async () => {
  const serveRange = (contentRange: string) => {
    let asked = 0
    return serve((_, response) => {
      if (asked++ > 0) return response.writeHead(206, { 'content-range': contentRange }).end(content.subarray(60_000))
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 30))
    })
  }
  const shifted = fetcherOf([await serveRange('bytes 60000-199999/200000')], { rounds: 1 })
  await assert.rejects(shifted.fetchBlock(cid), /answered another range than from 50000/)
  // It claims the right range and sends a shorter one: only the hash can tell.
  const cut = fetcherOf([await serveRange('bytes 50000-199999/200000')], { rounds: 1 })
  await assert.rejects(cut.fetchBlock(cid), { code: 'BAD_BLOCK' })
})

test('an answer beyond the size limit is cut off early, announced or not [P-21]', async () => {
  let written = 0
  const flood = await serve((request, response) => {
    if (request.url?.includes('announced')) return response.writeHead(200, { 'content-length': 2 ** 31 }).write('x')
    const pour = (): void => {
      while (!response.destroyed && response.write(new Uint8Array(65_536))) written += 65_536
      if (!response.destroyed) response.once('drain', pour)
    }
    pour()
  })
  for (const path of ['announced', 'endless']) {
    const fetcher = createFetcher({ urls: () => [`${flood}/${path}`], timeoutMs: 5000 })
    closers.push(() => fetcher.close())
    await assert.rejects(fetcher.fetchBlock(cid), (error: Error) => /more than 1048576 bytes/.test(error.message), path)
  }
  assert.ok(written < 16 * MAX_BLOCK_BYTES, `${written} bytes were taken`)
})

test('a source that says nothing, drips or is down costs its time limit, not the fetch [P-27]', async () => {
  const silent = await serve(() => undefined)
  const drip = await serve((_, response) => {
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  const started = performance.now()
  const fetcher = fetcherOf([silent, drip, 'http://127.0.0.1:1', honest], { timeoutMs: 200 })
  assert.equal(Buffer.compare(await fetcher.fetchBlock(cid), content), 0)
  assert.ok(performance.now() - started < 3000)
  assert.deepEqual(
    fetcher.faults.map((fault) => fault.lied),
    [false, false, false],
  )
})

test('a source that is restarting is found in the second round [P-27]', async () => {
  let asked = 0
  const handler = createBlockHandler(store)
  const late = await serve((request, response) =>
    asked++ === 0 ? response.writeHead(503).end() : handler(request, response),
  )
  assert.equal((await fetcherOf([late]).fetchBlock(cid)).length, content.length)
})

test('no source, absent everywhere and unusable addresses end in NOT_FOUND that names them [P-27]', async () => {
  const absent = blockCid(new Uint8Array([1]))
  await assert.rejects(fetcherOf([]).fetchBlock(cid), /no source is known/)
  await assert.rejects(fetcherOf([honest]).fetchBlock(absent), (error: Error) => {
    assert.ok('code' in error && error.code === 'NOT_FOUND')
    return error.message.includes(honest)
  })
  const odd = createFetcher({ urls: () => ['file:///etc/passwd', 'not a url', 'ftp://x/y'] })
  await assert.rejects(odd.fetchBlock(cid), { code: 'NOT_FOUND' })
  await odd.close()
})

test('redirects are not followed: a peer cannot send a node to another host [P-27]', async () => {
  const away = await serve((_, response) => response.writeHead(302, { location: blockUrl(honest, cid) }).end())
  await assert.rejects(fetcherOf([away], { rounds: 1 }).fetchBlock(cid), /answered 302/)
})

test('an aborted fetch ends at once with the reason given [P-27]', async () => {
  const silent = await serve(() => undefined)
  const controller = new AbortController()
  const pending = fetcherOf([silent]).fetchBlock(cid, { signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 50)
  await assert.rejects(pending, /enough/)
})

test('a file of many blocks arrives four at a time and resumes after a failure [P-29]', async () => {
  const from = memoryBlockStore()
  const bytes = Uint8Array.from({ length: 9 * MAX_BLOCK_BYTES }, (_, i) => (i + (i >> 20)) & 255)
  const { cid: root } = await addFile(from, bytes)
  const handler = createBlockHandler(from)
  let open = 0
  let most = 0
  let allowed = 4
  const server = await serve((request, response) => {
    most = Math.max(most, ++open)
    response.on('close', () => open--)
    if (allowed-- > 0) setTimeout(() => handler(request, response), 15)
    else setTimeout(() => response.writeHead(500).end(), 150)
  })
  const to = memoryBlockStore()
  await assert.rejects(fetchFile(fetcherOf([server], { rounds: 1 }), to, root), { code: 'NOT_FOUND' })
  let kept = 0
  for await (const _ of to.list()) kept++
  assert.ok(kept >= 2 && kept <= 4, `${kept} blocks stayed`)
  allowed = Number.POSITIVE_INFINITY
  const done = await fetchFile(fetcherOf([server]), to, root)
  assert.equal(done.blocks, 10)
  assert.ok(done.fetchedBytes < bytes.length, 'what was held did not come again')
  assert.equal(most, 4)
  assert.equal(Buffer.compare(await readFile(to, root), bytes), 0)
  assert.deepEqual(await fetchFile(fetcherOf([]), to, root), { blocks: 10, fetchedBytes: 0 })
})

test('a root with more blocks than allowed is refused before they are fetched [P-29]', async () => {
  const from = memoryBlockStore()
  const { cid: root } = await addFile(
    from,
    Uint8Array.from({ length: 4 * MAX_BLOCK_BYTES }, (_, i) => (i >> 20) + 1),
  )
  const base = await serveStore(from)
  await assert.rejects(fetchFile(fetcherOf([base]), memoryBlockStore(), root, { maxBlocks: 3 }), {
    code: 'TOO_MANY_BLOCKS',
  })
})

test('a CAR is served over HTTP [P-30]', async () => {
  const answer = await fetch(`${honest}/ipfs/${cid}?format=car`)
  assert.equal(answer.status, 200)
  assert.ok((await answer.arrayBuffer()).byteLength > content.length)
})
