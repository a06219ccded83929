import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNet, peerIdOf } from './index.ts'
import { type TestNode, testKey, testNode, text, until } from './testNet.ts'

async function stopAll(nodes: Iterable<{ stop(): Promise<void> }>): Promise<void> {
  await Promise.all([...nodes].map((node) => node.stop()))
}

const heard = (node: TestNode, what: string): number => node.heard.filter((message) => message.text === what).length

/** Whom `node` passes messages on to at once. A message that comes before a peer is in the mesh may never reach that peer. */
const meshOf = (node: TestNode): string[] =>
  node.peers().flatMap((peer) => (peer.subscribed && peer.inMesh ? [peer.peerId] : []))

test('eighteen nodes on one machine find each other from one address and all hear each of them once [P-31] [P-32]', async (t) => {
  const rssBefore = process.memoryUsage().rss
  const first = await testNode(0)
  const nodes = [first]
  try {
    const started = performance.now()
    const others = Array.from({ length: 17 }, (_, i) => testNode(i + 1, { bootstrap: first.addresses() }))
    nodes.push(...(await Promise.all(others)))
    await until('each has four peers in its mesh', () => nodes.every((node) => meshOf(node).length >= 4))
    const connectedMs = Math.round(performance.now() - started)
    await Promise.all(nodes.map((node, i) => node.publish(text(`from ${i}`))))
    await until('every message everywhere', () => nodes.every((node) => node.heard.length >= 17))
    await sleep(200)
    for (const [i, node] of nodes.entries()) {
      const want = nodes.map((_, j) => `from ${j}`).filter((_, j) => j !== i)
      assert.deepEqual(node.heard.map((message) => message.text).sort(), want.sort(), `node ${i}`)
      for (const peer of node.peers()) assert.ok(peer.score >= 0, `node ${i} thinks ill of a neighbour: ${peer.score}`)
    }
    assert.equal(nodes[3]?.heard.find((message) => message.text === 'from 7')?.from, nodes[7]?.peerId)

    const late = await testNode(99, { bootstrap: first.addresses() })
    nodes.push(late)
    await until('somebody passes on to the late node', () => nodes.some((node) => meshOf(node).includes(late.peerId)))
    await nodes[5]?.publish(text('after the late one came'))
    await until('the late node hears', () => heard(late, 'after the late one came') === 1)

    const megabytes = (process.memoryUsage().rss - rssBefore) / 1e6 / nodes.length
    const degrees = nodes.map((node) => node.peers().length).sort((a, b) => a - b)
    t.diagnostic(`connected in ${connectedMs} ms; ${megabytes.toFixed(1)} MB a node; peers ${degrees.join(' ')}`)
  } finally {
    await stopAll(nodes)
  }
})

/** A line a - b - c in which a and c do not know each other. */
async function line(verdictOfB: 'accept' | 'ignore' | 'reject') {
  const b = await testNode(11, { verdict: () => verdictOfB, targetPeers: 0 })
  const ends = { bootstrap: b.addresses(), targetPeers: 0 }
  const [a, c] = await Promise.all([testNode(10, ends), testNode(12, ends)])
  await until('the line stands', () => [a, b, c].every((node) => meshOf(node).length === (node === b ? 2 : 1)))
  const scoreOfA = () => b.peers().find((peer) => peer.peerId === a.peerId)?.score ?? Number.NaN
  return { a, b, c, scoreOfA, stop: () => stopAll([a, b, c]) }
}

test('an accepted message is passed on, an ignored or rejected one is not, and only a reject costs its sender [P-33]', async () => {
  for (const verdict of ['accept', 'ignore', 'reject'] as const) {
    const { a, b, c, scoreOfA, stop } = await line(verdict)
    try {
      assert.equal(await a.publish(text('x')), 1)
      await until('b hears', () => heard(b, 'x') === 1)
      if (verdict === 'accept') await until('c hears through b', () => heard(c, 'x') === 1)
      else await sleep(300)
      assert.equal(heard(c, 'x'), verdict === 'accept' ? 1 : 0, verdict)
      if (verdict === 'reject') await until('the score falls', () => scoreOfA() < 0, 3000)
      else assert.ok(scoreOfA() >= 0, verdict)
    } finally {
      await stop()
    }
  }
})

test('a handler that throws is reported, blames nobody and does not stop the next message [P-33]', async () => {
  const { a, b, scoreOfA, stop } = await line('accept')
  try {
    let thrown = 0
    const remove = b.onMessage(() => {
      thrown++
      throw new Error('disk full')
    })
    await a.publish(text('one'))
    await until('the handler ran', () => thrown === 1)
    assert.ok(scoreOfA() >= 0)
    remove()
    await a.publish(text('two'))
    await until('the next one arrives', () => heard(b, 'two') === 1)
  } finally {
    await stop()
  }
})

test('an oversized message is refused by its sender, and by everybody when the sender cheats [P-34]', async () => {
  const { a, b, c, stop } = await line('accept')
  const cheat = await testNode(13, { bootstrap: b.addresses(), maxMessageBytes: 10_000_000, targetPeers: 0 })
  try {
    await assert.rejects(a.publish(new Uint8Array(65_537)), { code: 'MESSAGE_TOO_LARGE' })
    await until('the cheat is in', () => cheat.peers().some((peer) => peer.subscribed))
    await cheat.publish(new Uint8Array(65_537))
    const scoreOfCheat = () => b.peers().find((peer) => peer.peerId === cheat.peerId)?.score ?? 0
    await until('the cheat loses its standing', () => scoreOfCheat() < 0, 3000)
    // More than a whole frame may hold: the stream ends, the process does not.
    await cheat.publish(new Uint8Array(6_000_000))
    await sleep(200)
    assert.equal(b.heard.length + c.heard.length, 0)
    await a.publish(new Uint8Array(65_536))
    await until('the largest allowed one arrives', () => c.heard.length === 1)
  } finally {
    await stopAll([cheat, { stop }])
  }
})

test('garbage on the port, cut handshakes and hangers-on leave a node working [P-34]', async () => {
  const node = await testNode(20)
  const other = await testNode(21, { bootstrap: node.addresses() })
  try {
    const port = Number(/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1])
    const sockets = [
      '\x13/multistream/1.0.0\n',
      '\x13/multistream/1.0.0\n\x07/noise\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\xff'.repeat(70_000),
      '',
    ].map((bytes) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => socket.destroy())
      socket.write(Buffer.from(bytes + '\0\x01\x02garbage'.repeat(bytes.length % 7), 'latin1'))
      return socket
    })
    await until('they are connected', () => other.peers().some((peer) => peer.subscribed))
    await other.publish(text('still here'))
    await until('it hears', () => heard(node, 'still here') === 1)
    for (const socket of sockets) socket.destroy()
  } finally {
    await stopAll([node, other])
  }
})

test('a restarted bootstrap node is found again, and meanwhile the others hear each other [P-32]', async () => {
  let boot = await testNode(30)
  const [address = ''] = boot.addresses()
  const nodes = await Promise.all([31, 32, 33].map((i) => testNode(i, { bootstrap: [address] })))
  try {
    await until('all know all', () =>
      nodes.every((node) => node.peers().filter((peer) => peer.subscribed).length === 3),
    )
    await boot.stop()
    await nodes[0]?.publish(text('without it'))
    await until('the others hear', () => nodes.slice(1).every((node) => heard(node, 'without it') === 1))
    await sleep(1000)
    boot = await testNode(30, { listen: [address.replace(/\/p2p\/.*/, '')] })
    await until('it has everybody back', () => boot.peers().filter((peer) => peer.subscribed).length === 3)
    await boot.publish(text('back'))
    await until('all hear it', () => nodes.every((node) => heard(node, 'back') === 1))
    await nodes[1]?.publish(text('welcome'))
    await until('it hears', () => heard(boot, 'welcome') === 1)
  } finally {
    await stopAll([boot, ...nodes])
  }
})

test('a node started before its bootstrap node, given an address without a name, joins when that one comes [P-32]', async () => {
  const probe = await testNode(40)
  const bare = (probe.addresses()[0] ?? '').replace(/\/p2p\/.*/, '')
  await probe.stop()
  const early = await testNode(41, { bootstrap: [bare] })
  assert.equal(await early.publish(text('into the void')), 0)
  await sleep(700)
  const boot = await testNode(40, { listen: [bare] })
  try {
    await until('they meet', () => boot.peers().length === 1)
    assert.equal(early.peers()[0]?.peerId, boot.peerId)
  } finally {
    await stopAll([early, boot])
  }
})

test('nodes of different topics do not hear each other [P-35]', async () => {
  const a = await testNode(50)
  const b = await testNode(51, { bootstrap: a.addresses(), topic: 'potluck/other' })
  try {
    await until('they are connected', () => a.peers().length === 1)
    assert.equal(await b.publish(text('wrong room')), 0)
    await sleep(200)
    assert.equal(a.heard.length, 0)
  } finally {
    await stopAll([a, b])
  }
})

test('a peer keeps its name over restarts, and no two node keys share one [P-35]', async () => {
  const node = await testNode(60)
  await node.stop()
  assert.equal(node.peerId, await peerIdOf(testKey(60)))
  assert.notEqual(await peerIdOf(testKey(61)), node.peerId)
})

test('a wrong key, address or port is one clear error, and nothing keeps running [P-35]', async () => {
  const topic = 't'
  const privateKey = testKey(70)
  for (const key of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(64)]) {
    await assert.rejects(createNet({ privateKey: key, topic }), { code: 'BAD_KEY' })
  }
  await assert.rejects(createNet({ privateKey, topic, bootstrap: ['127.0.0.1:4001'] }), { code: 'BAD_ADDRESS' })
  await assert.rejects(createNet({ privateKey, topic, sharedHosts: ['localhost'] }), { code: 'BAD_ADDRESS' })
  const node = await testNode(71)
  const taken = node.addresses().map((address) => address.replace(/\/p2p\/.*/, ''))
  await assert.rejects(createNet({ privateKey, topic, listen: taken }), { code: 'LISTEN_FAILED' })
  await node.stop()
  await node.stop()
  await assert.rejects(node.publish(text('x')), { code: 'NET_STOPPED' })
})

test('the signal stops a node, before its start as well as after [P-35]', async () => {
  const controller = new AbortController()
  const node = await testNode(80, { signal: controller.signal })
  const listen = node.addresses().map((address) => address.replace(/\/p2p\/.*/, ''))
  controller.abort(new Error('enough'))
  await node.stop()
  const next = await testNode(80, { listen })
  await next.stop()
  await assert.rejects(testNode(80, { signal: controller.signal }), /enough/)
})
