import { importRival } from './installedRivals.ts'

/** The part of onnxruntime-node that is used here. */
export type OnnxRuntime = {
  readonly Tensor: new (
    type: 'float32' | 'int64',
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OnnxTensor
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>
  }
  readonly env: { readonly versions: Readonly<Record<string, string>> }
}

export type OnnxTensor = {
  readonly data: Float32Array | BigInt64Array
  readonly dims: readonly number[]
  dispose(): void
}

export type OnnxSession = {
  /** `fetches`: the outputs wanted, each into a tensor of the caller's or, with null, into a new one. */
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches?: Readonly<Record<string, OnnxTensor | null>>,
  ): Promise<Readonly<Record<string, OnnxTensor>>>
  release(): Promise<void>
}

/** onnxruntime-node out of bench/rivals; throws when it is not installed, with what to do. */
export const loadOnnxRuntime = async (): Promise<OnnxRuntime> =>
  (await importRival<{ default: OnnxRuntime }>('onnxruntime.mjs', 'onnxruntime-node')).default

/** A session on the CPU with all graph optimisations and so many threads. */
export const openSession = (runtime: OnnxRuntime, model: Uint8Array, threads = 1): Promise<OnnxSession> =>
  runtime.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
