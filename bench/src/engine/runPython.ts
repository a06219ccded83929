import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** PyTorch as Debian packages it; the bench goes without when it is not there. */
export const howToGetTorch =
  'PyTorch is not installed: "apt install python3-torch libopenblas0" (Debian, Ubuntu) brings it'

/**
 * What to do about a PyTorch that was installed without the packages it recommends: its products then run on the reference BLAS, some twenty times
 * slower than on OpenBLAS, and no comparison with it is fair. Null where the products are fast.
 */
export const blasHint = (blas: string): string | null =>
  /openblas|mkl|blis|atlas/i.test(blas)
    ? null
    : `PyTorch computes its products with ${blas}, which is slow: "apt install libopenblas0" brings the library it recommends`

export type PythonResult = { readonly line: string } | { readonly absent: string }

/**
 * The last line that `torch_step.py` prints for these arguments.
 *
 * @param environment added to the caller's: `OPENBLAS_CORETYPE` chooses the kernels
 * @returns absent when there is no Python or no PyTorch; throws with the end of stderr when the script fails otherwise
 */
export async function runPython(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<PythonResult> {
  // Debian puts PyTorch beside its own Python; another one earlier on the path would not see it.
  for (const python of ['/usr/bin/python3', 'python3']) {
    const { code, out, error } = await run(python, [join(import.meta.dirname, 'torch_step.py'), ...args], environment)
    const line = out.trimEnd().split('\n').at(-1)
    if (code === 0 && line) return { line }
    const isMissing = code === null || /No module named '?torch/.test(error)
    if (!isMissing) throw new Error(`torch_step.py ${args.join(' ')} ended with ${code}: ${error.slice(-500)}`)
  }
  return { absent: howToGetTorch }
}

type Ended = { readonly code: number | null; readonly out: string; readonly error: string }

/** `code` is null when the program could not be started. */
function run(program: string, args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, error] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      error += chunk.toString()
    })
    child.on('error', ({ message }) => resolve({ code: null, out, error: message }))
    child.on('close', (code, signal) =>
      resolve({ code: code ?? -1, out, error: signal ? `${error} (${signal})` : error }),
    )
  })
}
