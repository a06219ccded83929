import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { peerIdOf } from './index.ts'
import { readAnswer } from './peerExchange.ts'
import { testKey, testNode, text, until } from './testNet.ts'

const framed = (value: string): Uint8Array => text(`\0${String.fromCharCode(value.length)}${value}`)
const ids = await Promise.all(Array.from({ length: 61 }, (_, i) => peerIdOf(testKey(i))))
const id = (i: number): string => ids[i] as string

test('an answer full of nonsense is worth its usable part only [P-31]', () => {
  const good = `/ip4/203.0.113.9/tcp/4001/p2p/${id(1)}`
  const list = [
    good,
    good.replace('203.0.113.9', '300.0.0.1'),
    7,
    null,
    '/ip4/203.0.113.9/tcp/4001',
    'x'.repeat(1000),
    `/ip4/127.0.0.1/tcp/22/p2p/${id(2)}`,
  ]
  assert.deepEqual([...readAnswer(JSON.stringify(list), false).keys()], [id(1)])
  assert.deepEqual([...readAnswer(JSON.stringify(list), true).keys()], [id(1), id(2)])
  assert.equal(readAnswer('{"a":1}', true).size, 0)
  assert.throws(() => readAnswer('not json', true))
})

test('an answer names sixteen peers at most, with four addresses each [P-31]', () => {
  const many = Array.from({ length: 60 }, (_, i) => `/ip4/203.0.113.${i}/tcp/4001/p2p/${id(i)}`)
  assert.equal(readAnswer(JSON.stringify(many), false).size, 16)
  const one = Array.from({ length: 9 }, (_, i) => `/ip4/203.0.113.${i}/tcp/4001/p2p/${id(1)}`)
  assert.equal(readAnswer(JSON.stringify(one), false).get(id(1))?.length, 4)
})

test('a peer that floods, lies or falls silent when asked for peers, or talks garbage in gossip, does no harm [P-31] [P-34]', async () => {
  const hostile = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  let asked = 0
  await hostile.handle('/potluck/peers/1.0.0', async (stream) => {
    asked++
    if (asked === 1) stream.send(new Uint8Array(100_000).fill(255))
    if (asked === 2) stream.send(framed(JSON.stringify([`/ip4/127.0.0.1/tcp/1/p2p/${id(5)}`])))
    if (asked === 3) return
    await stream.close().catch(() => undefined)
  })
  await hostile.handle('/meshsub/1.2.0', () => undefined)
  const errors: unknown[] = []
  const address = hostile.getMultiaddrs().map(String)
  const node = await testNode(90, { bootstrap: address, onError: (error) => errors.push(error) })
  try {
    const connection = () => hostile.getConnections()[0]
    await until('it asked three times', () => asked >= 3)
    for (const garbage of [new Uint8Array(5000).fill(255), text('\x05garbage'), new Uint8Array(0)]) {
      const stream = await connection()?.newStream('/meshsub/1.2.0')
      stream?.send(garbage)
    }
    const friend = await testNode(91, { bootstrap: node.addresses() })
    try {
      await until('they are connected', () => friend.peers().some((peer) => peer.subscribed))
      await friend.publish(text('fine'))
      await until('it hears', () => node.heard.length === 1)
    } finally {
      await friend.stop()
    }
  } finally {
    await Promise.all([node.stop(), hostile.stop()])
  }
})
