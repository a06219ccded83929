/** For tests: what must hold for the members of a private job, whatever was lost and whoever went. */
import assert from 'node:assert/strict'
import { encode } from '@ipld/dag-cbor'
import { type Hex, toHex } from '@potluck/protocol'
import { tabularProgram } from '../program/tabularProgram.ts'
import type { MaskedGroup } from './testMaskedGroup.ts'

/** One result, over what was said, that members of the last group may claim and no others. */
export async function checkMaskedSums(group: MaskedGroup): Promise<void> {
  const { document, workers, all } = group
  const delivered = group.delivered()
  assert.equal(new Set(delivered.map((i) => group.digestOf(i))).size, 1)
  const groups = await group.groups()
  const stayed = groups.at(-1) ?? all
  for (const i of delivered) assert.ok(stayed.includes(i), `${i} was left out and delivered`)
  const vectors = checkAnswers(group, stayed)
  const record = await group.transcriptOf(delivered[0] as number)
  for (const [step, { attempt, vectors: kept }] of record.steps.entries()) {
    const now = groups[step] as number[]
    const before = groups[step - 1] ?? all
    assert.ok(
      now.every((i) => before.includes(i)),
      `step ${step}: somebody came back`,
    )
    for (const [at, i] of now.entries()) {
      const said = vectors.get(`${i}, step ${step}, attempt ${attempt}`)
      assert.equal(said, `${now.join()} ${toHex(kept[at] as Uint8Array)}`)
    }
  }
  const program = tabularProgram(1, document, workers)
  for (const i of all) {
    const why = program.refuseUpdate(encode(record), workers[i] as Hex)
    assert.equal(why === undefined, stayed.includes(i), why)
  }
}

/**
 * One vector, one key and one group for each member, step and attempt; vectors only where all of the group had named it; for those that
 * stayed one attempt that completed each step. Gives the vectors with their groups.
 */
function checkAnswers({ sent, document, all }: MaskedGroup, stayed: readonly number[]): Map<string, string> {
  const answers = new Map<string, string>()
  const uses = new Map<string, string>()
  const named = new Map<string, string>()
  const keys = new Map<string, string>()
  const vectors = new Map<string, string>()
  const sumAttempts = new Map<number, Set<number>>()
  for (const { from, message } of sent) {
    if (message.kind !== 'masked' && message.kind !== 'maskKey') continue
    const { step, attempt, group = all } = message.body
    const place = `step ${step}, attempt ${attempt}`
    const slot = `${from}, ${place}`
    const key = `${message.kind} of ${slot}`
    const said = message.kind === 'masked' ? toHex(message.body.vector) : message.body.publicKey
    assert.equal(answers.get(key) ?? said, said, `${key} changed`)
    answers.set(key, said)
    assert.equal(uses.get(said) ?? key, key, 'an answer used again in another attempt')
    uses.set(said, key)
    assert.equal(named.get(slot) ?? group.join(), group.join(), `${slot}: another group`)
    named.set(slot, group.join())
    assert.ok(group.includes(from) && group.length >= (document.leastMembers ?? all.length))
    if (message.kind === 'masked') {
      for (const other of group) assert.equal(keys.get(`${other}, ${place}`), group.join(), key)
      vectors.set(slot, `${group.join()} ${said}`)
      continue
    }
    keys.set(slot, group.join())
    if (stayed.includes(from)) {
      sumAttempts.set(step, (sumAttempts.get(step) ?? new Set()).add(message.body.sumAttempt))
    }
  }
  for (const [step, attempts] of sumAttempts)
    assert.equal(attempts.size, 1, `step ${step} completed by ${[...attempts]}`)
  return vectors
}
