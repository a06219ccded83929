// A module of this folder, so that the package is found in this folder's node_modules.
export { getLlama, LlamaLogLevel } from 'node-llama-cpp'
