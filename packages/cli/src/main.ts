import { enableCompileCache, flushCompileCache } from 'node:module'

// Many processes run this file on one machine: compiled once, the others start in half the time. It must be on before anything else loads.
enableCompileCache()
const { program } = await import('./program.ts')
const { codeOf } = await import('@potluck/protocol')
flushCompileCache()

try {
  await program.parseAsync()
} catch (error) {
  const code = codeOf(error)
  process.stderr.write(`${code ? `${code}: ` : ''}${(error as Error).message}\n`)
  // Without a code it is a fault of ours: the stack helps whoever reports it.
  if (!code) process.stderr.write(`${(error as Error).stack}\n`)
  process.exitCode = 1
}
