import { CorralError, type ModelShape } from "@corral/protocol";
import { checkShape } from "./model-shape.ts";

/** A model's weights by where they go. Bytes. */
export interface ModelWeights {
  quantization: string;
  /** All tensors, each once. */
  weightsBytes: number;
  /** The token embedding: llama.cpp keeps it in main memory. */
  inputBytes: number;
  /** Output matrix and output norm as the file holds them. */
  outputBytes: number;
  /** Each layer's tensors, first layer first. */
  layerBytes: readonly number[];
  /** There is no output matrix: on a GPU llama.cpp makes a second copy of the token embedding. */
  isTied: boolean;
}

type TensorType = keyof typeof blocks;

/** Values and bytes of one block. Source: ggml-common.h of llama.cpp. */
const blocks = {
  F32: [1, 4],
  BF16: [1, 2],
  F16: [1, 2],
  Q8_0: [32, 34],
  Q6_K: [256, 210],
  Q5_K: [256, 176],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q4_K: [256, 144],
  Q4_0: [32, 18],
  IQ4_XS: [256, 136],
  IQ4_NL: [32, 18],
} as const satisfies Record<string, readonly [values: number, bytes: number]>;

/** What the quantizer takes for rows that do not fill blocks of 256. Source: `tensor_type_fallback` in llama-quant.cpp. */
const fallbacks: Partial<Record<TensorType, TensorType>> = {
  Q6_K: "Q8_0",
  Q5_K: "Q5_1",
  Q4_K: "Q5_0",
  IQ4_XS: "IQ4_NL",
};

/** Where in the model a tensor lies, as far as the quantizer's choice depends on it. */
interface Position {
  layer: number;
  layers: number;
  /** Query heads per key-value head. */
  groupSize: number;
  /** llama.cpp's "70B": 80 layers with grouped heads. */
  is70B: boolean;
}

interface Recipe {
  base: TensorType;
  output: TensorType;
  attentionValue?: (at: Position) => TensorType;
  feedForwardDown?: (at: Position) => TensorType;
}

/** `use_more_bits` of llama-quant.cpp: the first and last eighth, and every third layer between. */
function deservesMoreBits({ layer, layers }: Position): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

const isFirstEighth = ({ layer, layers }: Position) => layer < Math.floor(layers / 8);

/** The mixes of `llama_tensor_get_type_impl` in llama-quant.cpp, for dense models, with an importance matrix for IQ4_XS. */
const recipes = new Map<string, Recipe>([
  ["F32", { base: "F32", output: "F32" }],
  ["BF16", { base: "BF16", output: "BF16" }],
  ["F16", { base: "F16", output: "F16" }],
  ["Q8_0", { base: "Q8_0", output: "Q8_0" }],
  ["Q6_K", { base: "Q6_K", output: "Q6_K" }],
  [
    "Q5_K_M",
    {
      base: "Q5_K",
      output: "Q6_K",
      attentionValue: (at) => (deservesMoreBits(at) ? "Q6_K" : "Q5_K"),
      feedForwardDown: (at) => (deservesMoreBits(at) ? "Q6_K" : "Q5_K"),
    },
  ],
  ["Q5_K_S", { base: "Q5_K", output: "Q6_K" }],
  [
    "Q4_K_M",
    {
      base: "Q4_K",
      output: "Q6_K",
      attentionValue: (at) => (deservesMoreBits(at) ? "Q6_K" : at.is70B ? "Q5_K" : "Q4_K"),
      feedForwardDown: (at) => (deservesMoreBits(at) ? "Q6_K" : "Q4_K"),
    },
  ],
  [
    "Q4_K_S",
    {
      base: "Q4_K",
      output: "Q6_K",
      attentionValue: (at) => (at.layer < 4 || at.is70B ? "Q5_K" : "Q4_K"),
      feedForwardDown: (at) => (isFirstEighth(at) ? "Q5_K" : "Q4_K"),
    },
  ],
  ["Q4_0", { base: "Q4_0", output: "Q6_K" }],
  [
    "IQ4_XS",
    { base: "IQ4_XS", output: "Q6_K", attentionValue: ({ groupSize }) => (groupSize >= 4 ? "Q5_K" : "IQ4_XS") },
  ],
]);

/**
 * The weights of a Llama-like model in a quantization, from its shape alone: within 1 % of the files people publish.
 * @throws CorralError INVALID_INPUT for a shape no model has, or a quantization whose mix is not known
 */
export function weightsOf(shape: ModelShape, isTied: boolean, quantization: string): ModelWeights {
  checkShape(shape);
  const recipe = recipes.get(quantization.toUpperCase());
  if (!recipe) {
    const reason = `the size of ${quantization.slice(0, 40)} cannot be computed; known are ${[...recipes.keys()].join(", ")}`;
    throw new CorralError("INVALID_INPUT", `Choose another quantization: ${reason}.`, {
      field: "quantization",
      reason,
    });
  }
  const { layers, embeddingLength: width, feedForwardLength, heads, keyValueHeads, keyLength, valueLength } = shape;
  const { base, output } = recipe;
  const embedding = shape.vocabularySize * width;
  const norm = width * 4;
  const attention = width * (heads * keyLength + keyValueHeads * (keyLength + valueLength) + heads * valueLength);
  const layerValues = attention + 3 * width * feedForwardLength + 2 * width;
  // Biases, experts and whatever else other architectures have, spread over the layers.
  const known = layers * layerValues + width + embedding * (isTied ? 1 : 2);
  const rest = Math.max(0, shape.parameters - known) / layers;

  const layerBytes = Array.from({ length: layers }, (_, layer) => {
    const at = { layer, layers, groupSize: heads / keyValueHeads, is70B: layers === 80 && heads !== keyValueHeads };
    return (
      2 * norm +
      matrixBytes(base, width, heads * keyLength + keyValueHeads * keyLength + 2 * feedForwardLength) +
      matrixBytes(base, heads * valueLength, width) +
      matrixBytes(recipe.attentionValue?.(at) ?? base, width, keyValueHeads * valueLength) +
      matrixBytes(recipe.feedForwardDown?.(at) ?? base, feedForwardLength, width) +
      Math.ceil((rest * blocks[base][1]) / blocks[base][0])
    );
  });
  // A tied embedding is quantized as the output is.
  const inputBytes = matrixBytes(isTied ? output : base, width, shape.vocabularySize);
  const outputBytes = norm + (isTied ? 0 : matrixBytes(output, width, shape.vocabularySize));
  const weightsBytes = layerBytes.reduce((sum, bytes) => sum + bytes, inputBytes + outputBytes);
  return { quantization: quantization.toUpperCase(), weightsBytes, inputBytes, outputBytes, layerBytes, isTied };
}

function matrixBytes(wanted: TensorType, columns: number, rows: number): number {
  let type = wanted;
  if (columns % blocks[type][0] !== 0) type = fallbacks[type] ?? type;
  if (columns % blocks[type][0] !== 0) type = "F16";
  const [values, bytes] = blocks[type];
  return (columns / values) * bytes * rows;
}

/** What a GGUF header tells about weights. Bytes. */
export interface WeightTotals {
  weightsBytes: number;
  inputBytes: number;
  outputBytes: number;
  isTied: boolean;
  /** Absent: the layers are taken as equal. */
  layerBytes?: readonly number[];
}

/**
 * The weights of a file whose tensors are known. Tensors that belong to no layer count as spread over all of them.
 * @throws CorralError INVALID_INPUT for a shape no model has
 */
export function weightsFromHeader(shape: ModelShape, quantization: string, totals: WeightTotals): ModelWeights {
  checkShape(shape);
  const { weightsBytes, inputBytes, outputBytes, isTied } = totals;
  const known = Array.from({ length: shape.layers }, (_, layer) => totals.layerBytes?.[layer] ?? 0);
  const rest = weightsBytes - inputBytes - outputBytes - known.reduce((sum, bytes) => sum + bytes, 0);
  const layerBytes = known.map((bytes) => bytes + Math.max(0, rest) / shape.layers);
  return { quantization, weightsBytes, inputBytes, outputBytes, layerBytes, isTied };
}
