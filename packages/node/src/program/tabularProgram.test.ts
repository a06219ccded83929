import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import type { Transcript } from '@potluck/protocol'
import { MaskedGroup, plainJob } from '../round/testMaskedGroup.ts'
import { tabularProgram } from './tabularProgram.ts'

const document = { ...plainJob, maxSteps: 1, leastMembers: 3, members: [1, 2, 3, 4] }

/** A training whose scaling sum is over all four and whose Newton step is over three: member 3 went after its first vector. */
async function trained(): Promise<{ group: MaskedGroup; record: Transcript }> {
  const group = new MaskedGroup(() => false, { document })
  await group.run(() => {
    if (group.sent.some(({ from, message }) => from === 3 && message.kind === 'masked')) group.gone.add(3)
  })
  return { group, record: await group.transcriptOf(0) }
}

test('a transcript is taken from members of its last group only, and only where groups get smaller [P-63]', async () => {
  const { group, record } = await trained()
  const program = tabularProgram(1, document, group.workers)
  const refused = (changed: Transcript, worker = 0): string | undefined =>
    program.refuseUpdate(encode(changed), group.workers[worker] as `0x${string}`)
  assert.equal(refused(record), undefined)
  assert.match(refused(record, 3) ?? '', /was left out of it/)
  assert.deepEqual(await group.groups(), [
    [0, 1, 2, 3],
    [0, 1, 2],
  ])
  const withGroups = (...groups: number[][]): Transcript => ({
    ...record,
    steps: record.steps.map((sum, step) => ({ ...sum, group: groups[step] as number[] })),
  })
  assert.match(refused(withGroups([0, 1, 2], [0, 1, 3])) ?? '', /masks did not cancel/)
  assert.match(refused(withGroups([0, 1, 2, 9], [0, 1, 2])) ?? '', /place 9/)
  const strict = tabularProgram(1, { ...document, leastMembers: 4 }, group.workers)
  assert.match(
    strict.refuseUpdate(encode(record), group.workers[0] as `0x${string}`) ?? '',
    /4 members at least, got 3/,
  )
})

test('a member that comes back in a later sum makes the transcript worthless [P-63]', async () => {
  const { group, record } = await trained()
  const later = new MaskedGroup(() => false, { document: { ...document, maxSteps: 2 } })
  await later.run()
  const all = await later.transcriptOf(0)
  const first = record.steps[0] as Transcript['steps'][0]
  const mixed = { ...all, steps: [first, record.steps[1], all.steps[2]] } as Transcript
  const program = tabularProgram(1, { ...document, maxSteps: 2 }, group.workers)
  assert.match(program.refuseUpdate(encode(mixed), group.workers[0] as `0x${string}`) ?? '', /never comes back/)
})

test('the transcript that most claims carry makes the model, whoever comes first [P-63]', async () => {
  const { group, record } = await trained()
  const program = tabularProgram(1, document, group.workers)
  const lone = new MaskedGroup(() => false, { document })
  await lone.run()
  const [few, many] = [encode(await lone.transcriptOf(0)), encode(record)]
  const resultOf = async (...updates: Uint8Array[]) => {
    const task = { state: new Uint8Array(), round: 0, beacon: `0x${'00'.repeat(32)}` as const }
    return (await program.aggregate({ ...task, updates: updates.map((update, share) => ({ share, update })) })).state
  }
  assert.deepEqual(await resultOf(few, many, many), await resultOf(many))
  assert.notDeepEqual(await resultOf(few, many, many), await resultOf(few))
  assert.deepEqual(await resultOf(few, many), await resultOf(few))
})

test('a transcript without groups, as those of older jobs, is over all members [P-46]', async () => {
  const { leastMembers: _, ...plain } = document
  const group = new MaskedGroup(() => false, { document: plain })
  await group.run()
  const bytes = encode(await group.transcriptOf(0))
  assert.ok(!JSON.stringify(decode(bytes)).includes('group'))
  for (const worker of group.workers) {
    assert.equal(tabularProgram(1, plain, group.workers).refuseUpdate(bytes, worker), undefined)
    assert.equal(tabularProgram(1, document, group.workers).refuseUpdate(bytes, worker), undefined)
  }
})
