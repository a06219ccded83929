import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assetsAbi } from '../../packages/chain/src/generated/Assets.ts'
import { channelsAbi } from '../../packages/chain/src/generated/Channels.ts'
import { jobsAbi, jobsBytecode } from '../../packages/chain/src/generated/Jobs.ts'
import { refereeAbi, refereeBytecode } from '../../packages/chain/src/generated/Referee.ts'
import { registryAbi } from '../../packages/chain/src/generated/Registry.ts'
import { saltAbi } from '../../packages/chain/src/generated/Salt.ts'
import { voteJudgeAbi } from '../../packages/chain/src/generated/VoteJudge.ts'

test('no contract has an owner, a pause, an upgrade or any other function for a privileged caller [C-02]', () => {
  const abis = { assetsAbi, channelsAbi, jobsAbi, refereeAbi, registryAbi, saltAbi, voteJudgeAbi }
  for (const [name, abi] of Object.entries(abis)) {
    for (const item of abi) {
      if (item.type !== 'function') continue
      assert.doesNotMatch(
        item.name,
        /^(owner|transferOwnership|pause|unpause|upgrade.*|initialize|setImplementation|grantRole)$/,
        name,
      )
    }
  }
})

test('the largest contracts with what they create fit the limit on creation code', () => {
  // EIP-3860: 49,152 bytes; the limit of 24,576 on code at rest is checked by the chain when it is deployed.
  for (const bytecode of [jobsBytecode, refereeBytecode]) assert.ok((bytecode.length - 2) / 2 <= 49_152)
})
