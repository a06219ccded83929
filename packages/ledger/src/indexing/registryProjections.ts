import { insertRow, type Projections } from './projection.ts'

/** Nodes, their keys and what was slashed. */
export const registryProjections: Projections = {
  'registry.Registered': (database, { seq, args }) =>
    insertRow(database, 'node_changes', {
      seq,
      node: args.hex('node'),
      key: args.hex('key'),
      roles: args.whole('roles'),
      endpoint: args.text('endpoint'),
    }),
  'registry.Updated': (database, { seq, args }) =>
    insertRow(database, 'node_changes', {
      seq,
      node: args.hex('node'),
      roles: args.whole('roles'),
      endpoint: args.text('endpoint'),
    }),
  'registry.NodeKeyChanged': (database, { seq, args }) =>
    insertRow(database, 'node_changes', { seq, node: args.hex('node'), key: args.hex('newKey') }),
  'registry.Slashed': (database, { seq, args }) =>
    insertRow(database, 'slashes', {
      seq,
      locker: args.hex('locker'),
      node: args.hex('node'),
      task: args.hex('task'),
      burned: args.whole('burned'),
      rewarded: args.whole('rewarded'),
    }),
}
