import { PotluckError } from '@potluck/protocol'

/**
 * Codes bits by their probabilities: a binary range coder over 32 bits, as in G. N. N. Martin, "Range encoding" (1979). One model serves
 * writing and reading: it asks `bit`, which takes the bit to be written, or ignores it and returns the one that was read.
 */
export type RangeCoder = {
  /** Whether `bit` writes what it is given. */
  readonly isWriting: boolean
  /** @param one probability that the bit is 1, in units of 2^-16: 1 to 65535 */
  bit(one: number, bit: number): number
}

/** The probability of a bit that may as well be the other. */
export const EVEN = 0x8000
/** Below this the range is widened by a byte, so that it always holds a multiple of 2^24. */
const NARROW = 0x1000000

export class RangeWriter implements RangeCoder {
  readonly isWriting = true
  #bytes: Uint8Array
  #length = 0
  #low = 0
  #range = 0xffffffff

  /** @param head bytes that stand before the code */
  constructor(head: Uint8Array) {
    this.#bytes = new Uint8Array(4096)
    this.#bytes.set(head)
    this.#length = head.length
  }

  bit(one: number, bit: number): number {
    const bound = (this.#range >>> 16) * one
    if (bit === 1) this.#range = bound
    else {
      this.#low += bound
      this.#range -= bound
      if (this.#low > 0xffffffff) this.#carry()
    }
    while (this.#range < NARROW) {
      this.#put(this.#low >>> 24)
      this.#low = (this.#low << 8) >>> 0
      this.#range = (this.#range << 8) >>> 0
    }
    return bit
  }

  /** The bytes. The last one ends in a number of the range whose further bytes are 0 and left out. */
  finish(): Uint8Array {
    this.#low += NARROW - 1
    if (this.#low > 0xffffffff) this.#carry()
    this.#put(this.#low >>> 24)
    return this.#bytes.slice(0, this.#length)
  }

  #carry(): void {
    this.#low -= 0x100000000
    let at = this.#length - 1
    while (this.#bytes[at] === 255) this.#bytes[at--] = 0
    this.#bytes[at]!++
  }

  #put(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#length)
      longer.set(this.#bytes)
      this.#bytes = longer
    }
    this.#bytes[this.#length++] = byte
  }
}

/** Bytes of 0 that a reader sees after the last one written. */
const UNWRITTEN = 3

export class RangeReader implements RangeCoder {
  readonly isWriting = false
  readonly #bytes: Uint8Array
  #at: number
  #code = 0
  #range = 0xffffffff

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#at = start
    for (let i = 0; i < 4; i++) this.#shift()
  }

  bit(one: number): number {
    const bound = (this.#range >>> 16) * one
    const bit = this.#code < bound ? 1 : 0
    if (bit === 1) this.#range = bound
    else {
      this.#code -= bound
      this.#range -= bound
    }
    while (this.#range < NARROW) {
      this.#shift()
      this.#range = (this.#range << 8) >>> 0
    }
    return bit
  }

  /** Throws TRAILING_BYTES unless the code ends where the bytes do. */
  finish(): void {
    const unread = this.#bytes.length + UNWRITTEN - this.#at
    if (unread > 0) {
      throw new PotluckError('TRAILING_BYTES', `${unread} bytes follow the end of the update; cut them off`, { unread })
    }
  }

  #shift(): void {
    if (this.#at >= this.#bytes.length + UNWRITTEN) {
      const length = this.#bytes.length
      throw new PotluckError('TRUNCATED_UPDATE', `the update ends early, after ${length} bytes; fetch it again`, {
        length,
      })
    }
    this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] ?? 0)) >>> 0
  }
}
