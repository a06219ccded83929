/**
 * Builds the native executor with the machine's own C compiler; no other build tool takes part. Run by the install and by
 * hand: `node packages/runtime/native/build.ts`. Prints one line. Without a compiler it says so and succeeds: programs
 * then run as WebAssembly. Built again only when the sources, the compiler or the flags have changed.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, platform, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  addonFile,
  type BuildRecord,
  buildFolder,
  readBuildRecord,
  recordFile,
  sourceFolder,
  sourcesHash,
} from '../src/native/nativeFiles.ts'

/** No contraction: a fused multiply-add would round once where the rules round twice (E-01). */
const flags = [
  '-O3',
  '-std=gnu11',
  '-fPIC',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-strict-aliasing',
  '-fvisibility=hidden',
  '-w',
]

type Level = { readonly name: string; readonly lanes: number; readonly flags: readonly string[] }
const levelsOf: Partial<Record<string, readonly Level[]>> = {
  x64: [
    {
      name: 'avx512',
      lanes: 16,
      flags: ['-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx512bw', '-mprefer-vector-width=512'],
    },
    { name: 'avx2', lanes: 8, flags: ['-mavx2'] },
    { name: 'sse2', lanes: 4, flags: [] },
  ],
  arm64: [{ name: 'neon', lanes: 4, flags: [] }],
}

export type NativeBuild =
  | { readonly built: true; readonly fresh: boolean; readonly compiler: string }
  | { readonly built: false; readonly reason: string }

/**
 * Builds the addon unless it is there. Never throws for want of a compiler, or because of one.
 *
 * @param compilers commands to look for, the first that answers is taken
 *
 * Cost: ten seconds of the compiler; 30 ms when nothing has changed.
 */
export async function buildNative(compilers = ['cc', 'gcc', 'clang']): Promise<NativeBuild> {
  const compiler = findCompiler(compilers)
  if (!compiler) return { built: false, reason: `no C compiler found (${compilers.join(', ')})` }
  const levels = levelsOf[arch()] ?? [{ name: 'plain', lanes: 4, flags: [] }]
  const record: BuildRecord = {
    sources: sourcesHash(),
    compiler: compiler.version,
    flags: JSON.stringify([flags, levels]),
  }
  const last = readBuildRecord()
  const isSame =
    last && record.sources === last.sources && record.compiler === last.compiler && record.flags === last.flags
  if (isSame && existsSync(addonFile)) return { built: true, fresh: false, compiler: compiler.version }
  const folder = mkdtempSync(join(tmpdir(), 'potluck-native-'))
  try {
    await compile(compiler.command, levels, folder)
    mkdirSync(buildFolder, { recursive: true })
    // The record goes last, and the addon is put in place whole: whoever loads meanwhile sees the old one or the new.
    const fresh = fileURLToPath(new URL(`potluck.${process.pid}.tmp`, buildFolder))
    await command(compiler.command, [...linkFlags(), '-o', fresh, ...objectsIn(folder), '-lpthread', '-lm'])
    renameSync(fresh, addonFile)
    writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`)
  } catch (error) {
    return { built: false, reason: error instanceof Error ? error.message : String(error) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { built: true, fresh: true, compiler: compiler.version }
}

function findCompiler(compilers: readonly string[]): { command: string; version: string } | null {
  for (const name of compilers) {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { command: name, version: stdout.split('\n')[0] ?? name }
  }
  return null
}

const linkFlags = (): string[] =>
  platform() === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-Wl,-s']

const objectsIn = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name))

async function compile(compiler: string, levels: readonly Level[], folder: string): Promise<void> {
  const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include')
  const sources = readdirSync(sourceFolder).filter((name) => name.endsWith('.c') && name !== 'level.c')
  const source = (name: string): string => fileURLToPath(new URL(name, sourceFolder))
  const jobs = [
    ...levels.map(({ name, lanes, flags: own }) => [
      ...own,
      `-DLEVEL=${name}`,
      `-DLANES=${lanes}`,
      ...['-c', source('level.c'), '-o', join(folder, `level-${name}.o`)],
    ]),
    ...sources.map((name) => [`-I${headers}`, '-c', source(name), '-o', join(folder, `${name}.o`)]),
  ]
  const worker = async (): Promise<void> => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await command(compiler, [...flags, ...job])
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker))
}

/** Runs a command; when it fails, throws the first line of what it said. */
function command(name: string, given: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, given, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(said.split('\n').find((line) => line.includes('error')) ?? `${name} ended with ${status}`))
    })
  })
}

/** The one line that the install prints. */
export const describeBuild = (build: NativeBuild): string =>
  build.built
    ? `native executor: ${build.fresh ? 'built' : 'up to date'} (${build.compiler})`
    : `native executor: not built, ${build.reason}; programs run as WebAssembly`

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  console.log(describeBuild(await buildNative()))
}
