import { type Tensor, type WindowForm, windowCount } from '../program/Program.ts'
import { add } from './elementwise.ts'
import { gradientOfA, gradientOfB, plainProduct } from './matmul.ts'
import type { Tape } from './Tape.ts'

/**
 * Convolution (cross-correlation, as every framework has it) with zero padding.
 *
 *   y[n,oh,ow,o] = Σ_k patch[n,oh,ow,k]·w[k,o] + bias[o],   k = (c·kh + i)·kw + j,
 *   patch[n,oh,ow,k] = x[n, oh·stride + i − padding, ow·stride + j − padding, c], +0 outside the image
 *   dx = windowSum(dy·wᵀ)     dw = patchᵀ·dy     dbias[o] = Σ dy
 *
 * @param x    [N, H, W, C]
 * @param w    [C·kh·kw, O]
 * @param bias [O], or absent
 * @param form the extents of x, the window, stride and padding
 * @returns [N, OH, OW, O]
 *
 * Order: a window operation, then one product (E-10), k ascending. The patches are not kept for the gradient but cut out
 * again: kh·kw times the size of x for as long as one product lasts.
 */
export function conv2d(
  tape: Tape,
  label: string,
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  form: WindowForm,
): Tensor {
  const { builder } = tape
  const [OH, OW] = [windowCount(form.height, form.kernelHeight, form), windowCount(form.width, form.kernelWidth, form)]
  const [K = 1, O = 1] = w.shape
  const product = plainProduct(form.images * OH * OW, K, O)
  const patches = builder.window(`${label}.window`, form, x)
  const result = bias ? `${label}.product` : label
  const y = builder.matmul(result, product, patches, w, [form.images, OH, OW, O])
  tape.record(y, [x, w], (dy, [wantsX, wantsW]) => {
    const cut = wantsW ? builder.window(`${label}.window.again`, form, x) : null
    const dw = cut && builder.matmul(`${label}.gradientW`, gradientOfB(product), cut, dy, w.shape)
    if (!wantsX) return [null, dw]
    const spread = builder.matmul(`${label}.gradientWindow`, gradientOfA(product), dy, w, patches.shape)
    return [builder.windowSum(`${label}.gradientX`, form, spread), dw]
  })
  return bias ? add(tape, label, y, bias) : y
}
