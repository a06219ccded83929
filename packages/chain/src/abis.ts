import { assetsAbi } from './generated/Assets.ts'
import { channelsAbi } from './generated/Channels.ts'
import { embeddedDollarAbi } from './generated/EmbeddedDollar.ts'
import { jobsAbi } from './generated/Jobs.ts'
import { refereeAbi } from './generated/Referee.ts'
import { registryAbi } from './generated/Registry.ts'
import { saltAbi } from './generated/Salt.ts'
import { voteJudgeAbi } from './generated/VoteJudge.ts'

/** The ABI of each contract by the name it has in a deployment. */
export const abis = {
  salt: saltAbi,
  registry: registryAbi,
  assets: assetsAbi,
  jobs: jobsAbi,
  judge: voteJudgeAbi,
  channels: channelsAbi,
  referee: refereeAbi,
} as const

export type Abis = typeof abis
export type ContractName = keyof Abis

/** Any ERC-20 with permit; `mint` is there on the embedded chain's dollar only. */
export const tokenAbi = embeddedDollarAbi
export type TokenAbi = typeof tokenAbi
