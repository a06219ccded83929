import { importRival } from './installedRivals.ts'

/** The part of node-llama-cpp that is used here. */
export type LlamaCpp = {
  getLlama(options: Readonly<Record<string, unknown>>): Promise<Llama>
  readonly LlamaLogLevel: { readonly error: string }
}

export type Llama = {
  loadModel(options: Readonly<Record<string, unknown>>): Promise<LlamaModel>
  readonly llamaCppRelease: { readonly release: string }
  dispose(): Promise<void>
}

export type LlamaModel = {
  tokenize(text: string): number[]
  detokenize(tokens: readonly number[]): string
  createContext(options: Readonly<Record<string, unknown>>): Promise<LlamaContext>
  dispose(): Promise<void>
}

export type LlamaContext = { getSequence(): LlamaSequence; dispose(): Promise<void> }

export type LlamaSequence = {
  evaluate(tokens: readonly number[], options: Readonly<Record<string, unknown>>): AsyncGenerator<number, void>
  evaluateWithMetadata(
    tokens: readonly number[],
    metadata: { readonly probabilities: true },
    options: Readonly<Record<string, unknown>>,
  ): AsyncGenerator<{ readonly token: number; readonly probabilities: ReadonlyMap<number, number> }, void>
  clearHistory(): Promise<void>
  dispose(): void
}

/** node-llama-cpp out of bench/rivals on the CPU with its prebuilt binary; throws when it is not installed, with what to do. */
export async function loadLlamaCpp(threads = 1): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await importRival<LlamaCpp>('llama.mjs', 'node-llama-cpp')
  return getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  })
}
