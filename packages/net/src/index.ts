export * from './createNet.ts'
export { OWN_MACHINE } from './gossipSettings.ts'
export { peerIdOf } from './peerIdentity.ts'
