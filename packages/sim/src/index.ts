export * from './Faults.ts'
export * from './Network.ts'
export * from './setUpNetwork.ts'
export * from './simulate.ts'
