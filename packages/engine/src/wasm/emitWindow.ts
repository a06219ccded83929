/**
 * Kernels of windows over images (see `WindowOperation`). Both work on whole rows of their output, numbered through
 * all images, so that a range of rows needs nothing from another: `windowSum` collects, it does not scatter.
 */
import { type WindowForm, windowCount } from '../program/Program.ts'
import type { Local } from './FunctionWriter.ts'
import { type Kernel, KernelWriter } from './Kernel.ts'
import { op } from './opcodes.ts'

/** Reads x, writes the patches; units are (image, window row). It only copies: no NaN can appear. */
export function emitWindow(form: WindowForm): Kernel {
  const { height, width, channels, kernelHeight, kernelWidth, stride, padding } = form
  const outHeight = windowCount(height, kernelHeight, form)
  const outWidth = windowCount(width, kernelWidth, form)
  const f = new KernelWriter(2)
  const [x, y, unit] = [0, 1, f.firstUnit]
  const patch = kernelHeight * kernelWidth
  const rowBytes = 4 * width * channels
  const [image, top, left, column, channel, from] = Array.from({ length: 6 }, () => f.local('i32')) as Locals6
  const [i, j] = [f.local('i32'), f.local('i32')]

  /** One patch of one channel with every element inside: straight copies. */
  const inside = (): void => {
    for (let k = 0; k < patch; k++) {
      const offset = Math.floor(k / kernelWidth) * rowBytes + 4 * (k % kernelWidth) * channels
      f.get(y)
        .get(from)
        .access(op.f32Load, offset)
        .access(op.f32Store, 4 * k)
    }
    f.advance(y, 4 * patch)
  }
  /** The same at an edge: each element is looked at. Unsigned, a negative position is beyond every limit. */
  const edge = (): void => {
    f.loop(i, 0, kernelHeight, 1, () => {
      f.loop(j, 0, kernelWidth, 1, () => {
        f.get(y)
        f.get(top).get(i).emit(op.i32Add).integer(height).emit(op.i32LessUnsigned)
        f.get(left).get(j).emit(op.i32Add).integer(width).emit(op.i32LessUnsigned, op.i32And)
        f.branch(
          () => {
            f.get(from).get(i).integer(rowBytes).emit(op.i32Multiply, op.i32Add)
            f.get(j)
              .integer(4 * channels)
              .emit(op.i32Multiply, op.i32Add)
              .access(op.f32Load, 0)
          },
          () => f.emit(op.f32Const, 0, 0, 0, 0),
          'f32',
        )
        f.access(op.f32Store, 0).advance(y, 4)
      })
    })
  }
  const eachChannel = (body: () => void): void => {
    f.loop(channel, 0, channels, 1, () => {
      body()
      f.advance(from, 4)
    })
  }
  const mayFit = height >= kernelHeight && width >= kernelWidth && patch <= 256
  f.get(unit)
    .integer(4 * outWidth * channels * patch)
    .emit(op.i32Multiply)
  f.get(y).emit(op.i32Add).set(y)
  f.span(unit, f.endUnit, 1, () => {
    f.get(x).get(unit).integer(outHeight).emit(op.i32DivideUnsigned)
    f.integer(height * rowBytes)
      .emit(op.i32Multiply, op.i32Add)
      .set(image)
    f.get(unit).integer(outHeight).emit(op.i32RemainderUnsigned).integer(stride).emit(op.i32Multiply)
    f.integer(-padding).emit(op.i32Add).set(top)
    f.integer(-padding).set(left)
    f.loop(column, 0, outWidth, 1, () => {
      f.get(image).get(top).integer(rowBytes).emit(op.i32Multiply, op.i32Add)
      f.get(left)
        .integer(4 * channels)
        .emit(op.i32Multiply, op.i32Add)
        .set(from)
      if (mayFit) {
        f.get(top)
          .integer(height - kernelHeight + 1)
          .emit(op.i32LessUnsigned)
        f.get(left)
          .integer(width - kernelWidth + 1)
          .emit(op.i32LessUnsigned, op.i32And)
        f.branch(
          () => eachChannel(inside),
          () => eachChannel(edge),
        )
      } else eachChannel(edge)
      f.advance(left, stride)
    })
  })
  const cost = 2 * form.images * outHeight * outWidth * channels * patch
  return { code: f, units: form.images * outHeight, scratchBytes: 0, cost }
}

type Locals6 = [Local, Local, Local, Local, Local, Local]

/** Reads the patches, writes x; units are (image, row). Sums from +0, i then j ascending. */
export function emitWindowSum(form: WindowForm): Kernel {
  const { height, width, channels, kernelHeight, kernelWidth, stride, padding } = form
  const outHeight = windowCount(height, kernelHeight, form)
  const outWidth = windowCount(width, kernelWidth, form)
  const f = new KernelWriter(2)
  const [patches, x, unit] = [0, 1, f.firstUnit]
  const patch = kernelHeight * kernelWidth
  const rowBytes = 4 * width * channels
  const windowRowBytes = 4 * outWidth * channels * patch
  const [windows, shifted, i, at, from, to] = Array.from({ length: 6 }, () => f.local('i32')) as Locals6
  const [window, channel, length] = [f.local('i32'), f.local('i32'), f.local('i32')]
  f.integer(rowBytes).set(length)
  const unroll = [4, 3, 2, 1].find((factor) => channels % factor === 0)!

  f.get(unit).integer(rowBytes).emit(op.i32Multiply).get(x).emit(op.i32Add).set(x)
  f.span(unit, f.endUnit, 1, () => {
    f.get(x).integer(0).integer(rowBytes).emit(op.bulk, 11, 0)
    f.get(patches).get(unit).integer(height).emit(op.i32DivideUnsigned)
    f.integer(outHeight * windowRowBytes)
      .emit(op.i32Multiply, op.i32Add)
      .set(windows)
    // Row i of the kernel meets this row in window row (row + padding − i)/stride, when that is whole and there is one.
    f.get(unit).integer(height).emit(op.i32RemainderUnsigned).integer(padding).emit(op.i32Add).set(shifted)
    f.loop(i, 0, kernelHeight, 1, () => {
      f.get(shifted)
        .integer(outHeight * stride)
        .emit(op.i32LessUnsigned)
      f.get(shifted).integer(stride).emit(op.i32RemainderUnsigned).integer(0).emit(op.i32Equal, op.i32And)
      f.branch(() => {
        f.get(windows).get(shifted).integer(stride).emit(op.i32DivideUnsigned)
        f.integer(windowRowBytes).emit(op.i32Multiply, op.i32Add)
        f.get(i)
          .integer(4 * kernelWidth)
          .emit(op.i32Multiply, op.i32Add)
          .set(at)
        for (let j = 0; j < kernelWidth; j++) addColumn(j)
      })
      f.advance(shifted, -1)
    })
    f.watchMemory(x, length)
    f.advance(x, rowBytes)
  })
  const cost = 4 * form.images * outHeight * outWidth * channels * patch
  return { code: f, units: form.images * height, scratchBytes: 0, cost }

  /** Adds column j of every window of this row whose column falls inside the image. */
  function addColumn(j: number): void {
    const first = Math.max(0, Math.ceil((padding - j) / stride))
    const last = Math.min(outWidth - 1, Math.floor((width - 1 + padding - j) / stride))
    f.sum(at, 4 * (first * channels * patch + j)).set(from)
    f.sum(x, 4 * (first * stride + j - padding) * channels).set(to)
    f.loop(window, first, last + 1, 1, () => {
      f.loop(channel, 0, channels, unroll, () => {
        for (let k = 0; k < unroll; k++) {
          f.get(to)
            .get(to)
            .access(op.f32Load, 4 * k)
          f.get(from)
            .access(op.f32Load, 4 * k * patch)
            .emit(op.f32Add)
            .access(op.f32Store, 4 * k)
        }
        f.advance(from, 4 * unroll * patch).advance(to, 4 * unroll)
      })
      f.advance(to, 4 * (stride - 1) * channels)
    })
  }
}
