/** A gateway in a process of its own, to be killed: database file and provider from the command line, its URL on its output. */
import { FakeLedger } from './FakeLedger.ts'
import { addressFor, apiKey, startGateway } from './testNetwork.ts'

const [databaseFile = ':memory:', provider = ''] = process.argv.slice(2)
const ledger = new FakeLedger(addressFor('operator'))
apiKey(ledger, 'caller', 10_000n, 10_000n)
const entry = JSON.parse(provider)
const gateway = await startGateway(() => [entry], { ledger, databaseFile, config: { stepTokens: 4 } })
console.log(gateway.url)
