import type { Hex } from '@potluck/protocol'
import { ApiError } from './ApiError.ts'
import type { ProviderPool } from './ProviderPool.ts'

/** What is known of a version from the chain and its metadata. */
export type ModelInfo = { name: string; createdSeconds: number; digest: Hex; ownedBy: string }
export type ServedModel = ModelInfo & { version: number }

/** The models that some provider serves now, by name; `potluck/<version>` names one version for good. */
export class ModelBook {
  readonly #pool: ProviderPool
  readonly #describe: (version: number) => Promise<ModelInfo | undefined>
  readonly #onError: (error: unknown) => void
  readonly #known = new Map<number, ModelInfo>()

  constructor(
    pool: ProviderPool,
    describe: (version: number) => Promise<ModelInfo | undefined>,
    onError: (error: unknown) => void,
  ) {
    this.#pool = pool
    this.#describe = describe
    this.#onError = onError
  }

  async list(): Promise<ServedModel[]> {
    const models: ServedModel[] = []
    for (const version of [...this.#pool.versions()].sort((a, b) => b - a)) {
      const info = await this.#info(version)
      if (info) models.push({ ...info, version })
    }
    return models
  }

  /** The newest served version of a name. Throws ApiError `model_not_found`. */
  async find(name: string): Promise<ServedModel> {
    const alias = /^potluck\/([1-9]\d{0,15})$/.exec(name)
    const models = await this.list()
    const found = models.find((model) => (alias ? model.version === Number(alias[1]) : model.name === name))
    if (found) return found
    const served = models.slice(0, 5).map((model) => model.name)
    const hint = served.length === 0 ? 'no model is served now' : `served are ${served.join(', ')}: see GET /v1/models`
    throw new ApiError('model_not_found', `there is no model ${name.slice(0, 100)}; ${hint}`, { param: 'model' })
  }

  // A version never changes, so what was read once stays. One that cannot be read now does not hide the others.
  async #info(version: number): Promise<ModelInfo | undefined> {
    const known = this.#known.get(version)
    if (known) return known
    try {
      const info = await this.#describe(version)
      if (info) this.#known.set(version, info)
      return info
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }
}
