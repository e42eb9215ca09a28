import type { Llama, LlamaModel } from "node-llama-cpp";
import type { LoadSettings } from "../engines/engine.ts";

/**
 * Loads the smaller model that guesses ahead. One that is of no use, as its vocabulary is another or it cannot be loaded, costs
 * speed only: the log says why there is none.
 */
export async function loadDraft(
  llama: Llama,
  model: LlamaModel,
  { draft, gpuLayers, mapsWeights = true }: LoadSettings,
  log: (level: "warn", message: string) => void,
): Promise<LlamaModel | null> {
  if (!draft) return null;
  try {
    const loaded = await llama.loadModel({
      modelPath: draft.path,
      gpuLayers: gpuLayers > 0 ? "max" : 0,
      useMmap: mapsWeights,
    });
    if (hasSameVocabulary(model, loaded)) return loaded;
    await loaded.dispose();
    log("warn", "The draft model is not used: its vocabulary is not the model's.");
  } catch (error) {
    log("warn", `The draft model is not used: ${String(error).slice(0, 200)}`);
  }
  return null;
}

function hasSameVocabulary(a: LlamaModel, b: LlamaModel): boolean {
  const [own, others] = [a, b].map((model) => model.fileInfo.metadata.tokenizer.ggml);
  if (!own || !others || own.model !== others.model || own.tokens.length !== others.tokens.length) return false;
  return own.tokens.every((token, index) => token === others.tokens[index]);
}
