import { concatBytes, equalBytes, PotluckError, sha256, toHex } from '@potluck/protocol'
import { chachaBytes } from './chacha.ts'
import { sealShare } from './sealShare.ts'
import { splitSecret } from './shamir.ts'
import { agreedSecret, sumSecrets } from './sumCrypto.ts'
import { rosterHash } from './sumLists.ts'
import { expectSignature, expectStep, type MemberState, type Step, type SumMember, signMessage } from './sumMember.ts'
import { type KeysMessage, type SharesMessage, shareBytes } from './sumMessages.ts'
import { memberNumber, type SumSetup } from './sumPlan.ts'

/**
 * Round 1. The message goes to all neighbours.
 *
 * @param keys one message of each member, this one's own included
 * @throws PotluckError WRONG_STEP; WRONG_SUM, DUPLICATE, MEMBER_MISSING; BAD_SIGNATURE, BAD_PUBLIC_KEY of a neighbour; EQUIVOCATION when
 *   others were shown other keys of this member
 */
export function dealShares(
  setup: SumSetup,
  member: SumMember,
  state: MemberState,
  keys: readonly KeysMessage[],
): Step<SharesMessage> {
  expectStep(setup, state, 'started')
  const from = memberNumber(setup, member.self)
  const secrets = sumSecrets(member.secret, setup)
  const roster = rosterHash(setup, keys)
  const byMember = new Map(keys.map((message) => [message.from, message]))
  const own = byMember.get(from)!
  const { publicKey } = member.agreement
  if (!equalBytes(own.maskKey, publicKey(secrets.maskKey)) || !equalBytes(own.sealKey, publicKey(secrets.sealKey))) {
    throw new PotluckError(
      'EQUIVOCATION',
      `${member.self} never sent the keys that stand under its name: the server is lying, leave it`,
    )
  }
  const neighbours = setup.neighbours[from]!.map((at) => byMember.get(at)!)
  for (const message of neighbours) expectSignature(setup, member.verify, message)

  const { threshold, degree } = setup.graph
  const random = chachaBytes(secrets.sharing, 20, (threshold - 1) * shareBytes)
  const secret = new Uint8Array(shareBytes)
  secret.set(secrets.maskKey)
  secret.set(secrets.seed, 32)
  const shares = splitSecret(secret, threshold, degree, random)
  const agreed = neighbours.map(({ from: to, sealKey }) =>
    agreedSecret(member.agreement, secrets.sealKey, sealKey, setup.members[to]!),
  )
  const dealt = neighbours.map(({ from: to }, i) => {
    const share = shares[i]!
    const keyHash = sha256(share.subarray(0, 32))
    const seedShareHash = sha256(share.subarray(32))
    const sealed = sealShare(
      agreed[i]!,
      { sum: setup.id, from, to },
      share,
      concatBytes(roster, keyHash, seedShareHash),
    )
    return { keyHash, seedHash: seedShareHash, sealed }
  })
  const message: SharesMessage = {
    kind: 'shares',
    sum: setup.sum,
    from,
    roster,
    seedHash: sha256(secrets.seed),
    dealt,
    signature: new Uint8Array(),
  }
  const kept = neighbours.map(({ maskKey }, i) => ({ maskKey: toHex(maskKey), sealSecret: toHex(agreed[i]!) }))
  return {
    state: { ...state, step: 'dealt', roster: toHex(roster), keys: kept },
    message: signMessage(message, member.sign),
  }
}
