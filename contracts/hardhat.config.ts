import { createRequire } from 'node:module'
import nodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import hardhatViem from '@nomicfoundation/hardhat-viem'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

// The compiler comes from npm, pinned in the lock file: nothing is downloaded at build time.
const compiler = (runs: number, viaIR: boolean) => ({
  version: '0.8.37',
  path: require.resolve('solc/soljson.js'),
  settings: { optimizer: { enabled: true, runs }, viaIR, evmVersion: 'cancun' },
})

export default defineConfig({
  plugins: [nodeTestRunner, hardhatViem],
  solidity: {
    compilers: [compiler(200, false)],
    // Payments and claims are what is called most, and a proof is mostly arithmetic: here the slower compilation pays for itself.
    overrides: {
      'contracts/Assets.sol': compiler(1_000_000, false),
      'contracts/Channels.sol': compiler(1_000_000, true),
      'contracts/referee/ScalarMachine.sol': compiler(1_000_000, true),
      // Functions with more arguments than the plain compilation has places for.
      'contracts/referee/Referee.sol': compiler(200, true),
      'contracts/referee/RefereeDesk.sol': compiler(200, true),
      'test/invariants/Referee.t.sol': compiler(200, true),
    },
  },
  // Enough calls to reach every pair of actions many times; more seeds belong into a nightly run.
  test: { solidity: { fuzz: { runs: 100 }, invariant: { runs: 12, depth: 120, failOnRevert: true } } },
  paths: { sources: './contracts', tests: { nodejs: './test', solidity: './test' } },
})
