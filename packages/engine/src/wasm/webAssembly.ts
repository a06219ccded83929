/** The part of the WebAssembly API the engine uses. Declared here because the compiler's DOM library is not loaded. */
export type WasmModule = object
export type WasmMemory = { readonly buffer: ArrayBufferLike }
export type WasmKernel = (...numbers: readonly number[]) => number

type Api = {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>
  instantiate(
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ): Promise<{ readonly exports: Readonly<Record<string, WasmKernel>> }>
  /** Sizes in pages of 64 KiB. */
  Memory: new (limits: {
    initial: number
    maximum: number
    shared?: boolean
  }) => WasmMemory
}

/** The platform's WebAssembly: Node, browsers and workers all have it, with strict SIMD since 2021. */
export const webAssembly = (globalThis as typeof globalThis & { readonly WebAssembly: Api }).WebAssembly
