import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fields as f, type Hex, PotluckError } from '@potluck/protocol'

/** What a payer remembers of a lane. `signed` is the most it ever promised, `accepted` the most it knows was taken. */
export type LaneRecord = { signed: bigint; accepted: bigint; run: { from: bigint; allocationHash: Hex } | null }

/** Keeps a lane's record between calls. A gateway can be believed only as far as this record goes. */
export type LaneMemory = {
  load: (channelId: Hex, lane: number) => LaneRecord | undefined
  /** Called before a voucher leaves: what is signed must not be forgotten. */
  save: (channelId: Hex, lane: number, record: LaneRecord) => void
}

/** Remembers until the process ends. */
export function processMemory(): LaneMemory {
  const records = new Map<string, LaneRecord>()
  return {
    load: (channelId, lane) => records.get(`${channelId}/${lane}`),
    save: (channelId, lane, record) => void records.set(`${channelId}/${lane}`, record),
  }
}

/** Remembers in a JSON file, written whole before each voucher leaves. One process at a time. */
export function fileMemory(file: string): LaneMemory {
  const records = readRecords(file)
  return {
    load: (channelId, lane) => records.get(`${channelId}/${lane}`),
    save(channelId, lane, record) {
      records.set(`${channelId}/${lane}`, record)
      mkdirSync(dirname(file), { recursive: true })
      const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
      writeFileSync(`${file}.new`, `${JSON.stringify(Object.fromEntries(records), text, 2)}\n`, { flush: true })
      renameSync(`${file}.new`, file)
    },
  }
}

function readRecords(file: string): Map<string, LaneRecord> {
  if (!existsSync(file)) return new Map()
  try {
    const entries = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Stored>)
    return new Map(entries.map(([key, stored]) => [key, recordOf(stored)]))
  } catch (cause) {
    const message = `${file} does not hold lane records: ${(cause as Error).message}; restore it, or move it away and use a new lane`
    throw new PotluckError('BAD_LANE_MEMORY', message, { file }, { cause, remedy: 'fix-setup' })
  }
}

type Stored = { signed: unknown; accepted: unknown; run: { from: unknown; allocationHash: unknown } | null }

const recordOf = ({ signed, accepted, run }: Stored): LaneRecord => ({
  signed: f.amount.parse(signed),
  accepted: f.amount.parse(accepted),
  run: run && { from: f.amount.parse(run.from), allocationHash: f.hash.parse(run.allocationHash) },
})
