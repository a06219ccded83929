import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { openDatabase } from '../database/openDatabase.ts'
import { type RunningPostgres, startPostgres } from './startPostgres.ts'

let dir: string
let running: RunningPostgres
const quiet = () => undefined

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'potluck-postgres-'))
  running = await startPostgres({ dir })
})
after(async () => {
  await running.stop()
  await rm(dir, { recursive: true, force: true })
})

async function ask(sql: string): Promise<unknown[]> {
  const pool = openDatabase(running.url, quiet)
  try {
    return (await pool.query(sql)).rows
  } finally {
    await pool.end()
  }
}

test('finds committed data and the same port after the server was killed', async () => {
  const { url, pid, exited } = running
  await ask('CREATE TABLE kept (value integer)')
  await ask('INSERT INTO kept VALUES (7)')
  process.kill(pid, 'SIGKILL')
  await exited
  running = await startPostgres({ dir })
  assert.equal(running.url, url)
  assert.deepEqual(await ask('SELECT value FROM kept'), [{ value: 7 }])
})

test('stops the server that a killed parent left behind and takes its place', async () => {
  const left = running
  running = await startPostgres({ dir })
  await left.exited
  assert.notEqual(running.pid, left.pid)
  assert.deepEqual(await ask('SELECT value FROM kept'), [{ value: 7 }])
})

test('clears a lock whose process number now belongs to another program, and leaves that program alone', async () => {
  await running.stop()
  await writeFile(join(dir, 'data', 'postmaster.pid'), `${process.pid}\n${join(dir, 'data')}\n`)
  running = await startPostgres({ dir })
  assert.deepEqual(await ask('SELECT value FROM kept'), [{ value: 7 }])
})

test('says so when the port asked for is taken', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => holder.once('listening', done))
  const address = holder.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await running.stop()
  await assert.rejects(startPostgres({ dir, port }), (error) => codeOf(error) === 'PORT_TAKEN')
  holder.close()
  running = await startPostgres({ dir })
})

test('moves the data to where the server can reach it when root keeps its folder closed', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root runs the server as somebody else')
  const closed = await mkdtemp(join(tmpdir(), 'potluck-closed-'))
  const options = { dir: join(closed, 'inner') }
  const first = await startPostgres(options)
  await first.stop()
  const second = await startPostgres(options)
  await second.stop()
  assert.notEqual(first.dir, options.dir)
  assert.equal(second.url, first.url)
  for (const path of [closed, first.dir]) await rm(path, { recursive: true, force: true })
})
