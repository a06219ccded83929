import { join } from 'node:path'

/** Where everything of a network on this machine lies, below one folder. */
export function layoutOf(root: string) {
  const node = (name: string): string => join(root, 'nodes', name)
  return {
    root,
    chain: join(root, 'chain'),
    postgres: join(root, 'postgres'),
    deployment: join(root, 'deployment.json'),
    plan: join(root, 'plan.json'),
    demo: join(root, 'demo.json'),
    node,
    nodeKey: (name: string): string => join(node(name), 'node.key'),
    coldKey: (name: string): string => join(node(name), 'cold.key'),
    config: (name: string): string => join(node(name), 'config.json'),
    log: (name: string): string => join(node(name), 'log.jsonl'),
  }
}
export type Layout = ReturnType<typeof layoutOf>
