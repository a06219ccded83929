// A module of this folder, so that the package is found in this folder's node_modules.
export { default } from 'onnxruntime-node'
