import { write } from './Disk.ts'
import { sayHolder, whoHas } from './holders.ts'
import { type Chunk, chunkBytes, chunkCount, type ModelFile } from './ModelFile.ts'
import type { Process, Reply } from './Process.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

export const modelSlot = { name: 'model' } as { readonly name: string; readonly holds?: ModelFile }

export type ChunksRequest = {
  readonly kind: 'chunks'
  readonly root: string
  readonly from: number
  readonly count: number
}

/** Enough that a round trip costs little beside them, few enough that two peers share one model of 100 kB. */
const CHUNKS_PER_REQUEST = 64
const TIMEOUT_MS = 20_000
const PAUSE_MS = 300

/**
 * The model with this root: from the own disk, or chunk by chunk from whoever has it, each chunk proven before it is kept. A peer whose
 * chunk does not belong to the root is not asked again.
 *
 * @param isWanted looked at between requests; when it says no, the search ends and gives undefined
 */
export async function fetchModel(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  root: string,
  isWanted: () => boolean = () => true,
): Promise<ModelFile | undefined> {
  const { disk } = machine
  const known = disk.get(modelSlot, root)
  if (known) return known
  const count = chunkCount(world.parameters)
  const have = new Map<number, Chunk>()
  const draws = world.draws(`fetch/${machine.node}/${root}/${process.nowMs}`)
  const avoided = new Set<number>()
  const startMs = process.nowMs
  while (have.size < count) {
    if (!isWanted()) return undefined
    const holders = whoHas(world, machine, root, process.nowMs - startMs, 4 * world.parameters, avoided)
    const peer = holders.length > 0 ? draws.pick(holders) : undefined
    if (peer === undefined) {
      avoided.clear()
      await process.sleep(PAUSE_MS, `somebody who holds the model ${root.slice(0, 8)}`)
      continue
    }
    let from = 0
    while (have.has(from)) from++
    const body: ChunksRequest = { kind: 'chunks', root, from, count: Math.min(CHUNKS_PER_REQUEST, count - from) }
    const what = `chunks of the model ${root.slice(0, 8)} from node ${peer}`
    const answer = await world.links.call(process, peer, { body, sizeBytes: 60 }, what, TIMEOUT_MS)
    if (!Array.isArray(answer)) {
      avoided.add(peer)
      continue
    }
    for (const chunk of answer as Chunk[]) {
      if (world.chunks.belongs(chunk, root, count)) have.set(chunk.index, chunk)
      else {
        world.ledger.spoiltChunks++
        avoided.add(peer)
      }
    }
  }
  // The proofs say that these are the bytes behind the root: one copy of them in memory is enough.
  const file = world.models.get(root)
  if (!file && !isWanted()) return undefined
  if (!file) throw new Error(`the chunks of ${root} are proven, but nobody ever made it`)
  await keepModel(world, machine, process, file)
  return file
}

/** Puts a model on disk and says so. All but this and the one before go. */
export async function keepModel(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  file: ModelFile,
): Promise<void> {
  const { disk } = machine
  const current = world.chain.current
  for (const { root } of disk.all(modelSlot))
    if (root !== file.root && root !== current?.baseRoot && root !== current?.previousRoot) disk.remove(modelSlot, root)
  disk.put(write(modelSlot, file.root, file, 4 * file.values.length))
  await disk.sync(process)
  sayHolder(world, machine.node, file.root)
}

/** What a holder answers. One that spoils changes a byte of the first chunk. */
export function serveChunks({ disk, liar }: SimMachine, { root, from, count }: ChunksRequest): Reply | undefined {
  const file = disk.get(modelSlot, root)
  if (!file) return { body: undefined, sizeBytes: 20 }
  const honest = file.chunks.slice(from, from + count)
  const chunks = liar?.kind === 'spoil' ? honest.map((chunk, i) => (i === 0 ? spoilt(chunk) : chunk)) : honest
  return { body: chunks, sizeBytes: chunks.reduce((sum, chunk) => sum + chunkBytes(chunk), 20) }
}

const spoilt = (chunk: Chunk): Chunk => ({ ...chunk, bytes: chunk.bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) })
