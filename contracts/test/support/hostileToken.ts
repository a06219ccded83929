import { artifacts } from 'hardhat'
import { type Hex, parseAbi } from 'viem'
import { deploy, type World } from './world.ts'

const abi = parseAbi([
  'constructor()',
  'function mint(address to, uint256 amount)',
  'function setFee(uint256 ppm)',
  'function arm(address target, bytes callback)',
  'function approve(address spender, uint256 amount) returns (bool)',
  'function balanceOf(address) view returns (uint256)',
  'function calledBack() view returns (bool)',
  'function lastRefusal() view returns (bytes)',
])

/** keccak256('ReentrancyGuardReentrantCall()'), the first four bytes: what a call back in is answered with. */
export const REENTRANT = '0x3ee5aeb5'

/** A token that takes a fee when told, and calls wherever it was pointed in the middle of its next transfer. */
export async function deployHostileToken({ evm, deployer }: World) {
  const { bytecode } = await artifacts.readArtifact('HostileToken')
  return deploy(evm, deployer, abi, bytecode as Hex, [])
}
