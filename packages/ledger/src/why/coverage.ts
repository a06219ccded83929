import type { Receipt, Voucher } from './Records.ts'

/**
 * How much of what a voucher claimed each receipt stands for, in units, in the order given; `uncovered` is what no receipt accounts for.
 * Receipts come in the order of the lane; where two overlap, the first one counts, so that nothing is counted twice.
 */
export function coverage(voucher: Voucher, receipts: readonly Receipt[]): { parts: bigint[]; uncovered: bigint } {
  let at = voucher.cumulative - voucher.amount
  const parts = receipts.map(({ from, to }) => {
    const start = from > at ? from : at
    const end = to < voucher.cumulative ? to : voucher.cumulative
    if (end <= start) return 0n
    at = end
    return end - start
  })
  return { parts, uncovered: voucher.amount - parts.reduce((a, b) => a + b, 0n) }
}
