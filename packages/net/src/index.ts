export * from './createNet.ts'
export { OWN_MACHINE } from './gossipSettings.ts'
export { peerIdOf, publicKeyOf } from './peerIdentity.ts'
