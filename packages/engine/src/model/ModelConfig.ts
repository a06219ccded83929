/**
 * What can be trained from a config. Every extent is whole and at least 1; `checkModelConfig` refuses the rest.
 * The old character model is `LanguageConfig`; it has no kind and keeps its own programs.
 */
export type ModelConfig = LogisticConfig | MlpConfig | CnnConfig | LlamaConfig | GptConfig

/** Logistic regression: one linear layer with bias, then softmax. Rows of `inputs` numbers. */
export type LogisticConfig = {
  readonly kind: 'logistic'
  /** Numbers in a row. */
  readonly inputs: number
  /** At least 2. */
  readonly classes: number
}

export type ActivationName = 'relu' | 'reluSquared' | 'silu' | 'gelu' | 'tanh' | 'sigmoid'

/** Linear layers with bias and an activation between them. */
export type MlpConfig = {
  readonly kind: 'mlp'
  readonly inputs: number
  /** Units of each hidden layer; none gives a linear model. */
  readonly hidden: readonly number[]
  readonly activation: ActivationName
  /** Share of hidden units left out in training, in [0, 1). Default 0. */
  readonly dropout?: number
} & (
  | { readonly classes: number; readonly regression?: never }
  /** How many numbers are predicted, by mean squared error. */
  | { readonly regression: number; readonly classes?: never }
)

/** One convolution, relu, and max pooling of `pool` by `pool` (1 = none). */
export type Convolution = {
  /** Output channels. */
  readonly channels: number
  /** Height and width of the kernel. */
  readonly kernel: number
  readonly stride: number
  /** Rows and columns of zeros on each side, below `kernel`. */
  readonly padding: number
  readonly pool: number
}

/** Convolutions, then linear layers with relu, then classes. Rows are images [height, width, channels], flat. */
export type CnnConfig = {
  readonly kind: 'cnn'
  readonly height: number
  readonly width: number
  readonly channels: number
  /** At least one. */
  readonly convolutions: readonly Convolution[]
  /** Units of the linear layers between the convolutions and the classes. */
  readonly hidden: readonly number[]
  readonly dropout?: number
  readonly classes: number
}

/** The matrices of a llama layer that low-rank adapters may sit on. */
export type LlamaMatrix = 'query' | 'key' | 'value' | 'out' | 'gate' | 'up' | 'down'

/** Low-rank adapters: w + (alpha / rank)·a·b, with w held fixed. Source: arXiv:2106.09685. */
export type Lora = {
  readonly rank: number
  readonly alpha: number
  /** At least one, each once. */
  readonly matrices: readonly LlamaMatrix[]
}

/** RMS norm, rotary positions, causal attention, SwiGLU, no bias: architecture `llama` of GGUF. */
export type LlamaConfig = {
  readonly kind: 'llama'
  /** Tokens (V). */
  readonly vocabulary: number
  /** Tokens seen at once (T). */
  readonly context: number
  /** Channels (C), a multiple of heads; width / heads is even. */
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Inner channels of SwiGLU. */
  readonly hidden: number
  /** Base of the rotary frequencies, above 1. Default 10000. */
  readonly ropeBase?: number
  /** The head is the token table. Default false. */
  readonly tie?: boolean
  /** Train adapters on a fixed base instead of the weights. */
  readonly lora?: Lora
}

/** Layer norm, learned positions, causal attention, GELU: GPT-2 and nanoGPT. */
export type GptConfig = {
  readonly kind: 'gpt'
  readonly vocabulary: number
  readonly context: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Inner channels of the feed-forward part. Default 4·width. */
  readonly hidden?: number
  /** Biases on linear layers; norms always have one. Default false. */
  readonly bias?: boolean
  /** The head is the token table. Default true. */
  readonly tie?: boolean
  readonly dropout?: number
}

/** Models that continue a sequence of tokens. */
export type SequenceConfig = LlamaConfig | GptConfig
