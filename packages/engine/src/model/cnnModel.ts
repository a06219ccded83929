import { activate, relu } from '../operators/activations.ts'
import { conv2d } from '../operators/conv2d.ts'
import { maxPool } from '../operators/pooling.ts'
import { type WindowForm, windowCount } from '../program/Program.ts'
import { dense, runStack, stack } from './denseStack.ts'
import { layoutOf, type ParameterEntry } from './layoutOf.ts'
import type { Model } from './Model.ts'
import type { CnnConfig } from './ModelConfig.ts'

/** Convolutions with relu and max pooling, then linear layers with relu. */
export function cnnModel(config: CnnConfig): Model {
  const { height, width, channels, convolutions, hidden, classes, dropout = 0 } = config
  const entries: ParameterEntry[] = []
  const forms: { readonly windows: Omit<WindowForm, 'images'>; readonly pools: Omit<WindowForm, 'images'> | null }[] =
    []
  let [h, w, c] = [height, width, channels]
  convolutions.forEach((convolution, i) => {
    const { kernel, stride, padding, pool } = convolution
    const windows = { height: h, width: w, channels: c, kernelHeight: kernel, kernelWidth: kernel, stride, padding }
    entries.push(...dense(`convolution${i}`, c * kernel * kernel, convolution.channels, 2))
    const reduced = { stride: pool, padding: 0 }
    ;[h, w, c] = [windowCount(h, kernel, windows), windowCount(w, kernel, windows), convolution.channels]
    const pools = { height: h, width: w, channels: c, kernelHeight: pool, kernelWidth: pool, ...reduced }
    forms.push({ windows, pools: pool > 1 ? pools : null })
    ;[h, w] = [windowCount(h, pool, reduced), windowCount(w, pool, reduced)]
  })
  const flat = h * w * c
  return {
    config,
    parameters: layoutOf([...entries, ...stack(flat, hidden, classes)]),
    frozen: [],
    constants: [],
    sample: { kind: 'rows', inputs: height * width * channels },
    target: { kind: 'classes', classes },
    forward(scope, images) {
      let x = images
      forms.forEach(({ windows, pools }, i) => {
        const at = `convolution${i}`
        const form = { ...windows, images: scope.B }
        const y = conv2d(scope.tape, at, x, scope.weight(at), scope.weight(`${at}.bias`), form)
        x = activate(scope.tape, `${at}.relu`, relu, y)
        if (pools) x = maxPool(scope.tape, `${at}.pool`, x, { ...pools, images: scope.B })
      })
      return runStack(scope, x, hidden.length, relu, dropout)
    },
  }
}
