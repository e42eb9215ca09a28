import { resolve } from "node:path";
import {
  CorralError,
  type KvCacheType,
  kvCacheType,
  placementKind,
  type PlanPins,
  type PlanPreference,
  planPreference,
  type PlanRequest,
  type PrecisionTier,
  precisionTier,
} from "@corral/protocol";
import { parseByteSize } from "./byte-size.ts";
import { defineCommand, UsageError, wholeNumber } from "./command.ts";
import { readHardwareFile } from "./hardware-file.ts";
import { describePlan } from "./plan-text.ts";

const mostTokens = 16_777_216;

export const plan = defineCommand({
  name: "plan",
  summary: "say how a model would be loaded, here or on other hardware, and why",
  help: `
Usage: corral plan --model ID|FILE.gguf [--hardware FILE.json | --gpus "8x H100 80GB"] [OPTIONS] [--json]

Chooses precision, KV cache type, context, slots and devices together, and loads nothing. ID is a model of the catalog
(llama-3.1-8b-instruct, llama-3.1-70b-instruct, llama-3.1-405b-instruct, llama-3.2-1b-instruct, llama-3.2-3b-instruct,
llama-3.3-70b-instruct) or one registered here.

  --gpus TEXT          a machine: "1x RTX 4090 24GB", "2x RTX 4090 24GB + 1x A100 80GB + ram 512GB", "cpu + ram 64GB"
  --hardware FILE      a machine as "corral hardware --json" printed it; without either: this machine
  --context TOKENS     the context wished for (131072, as far as the model goes)
  --users NUMBER       how many people work with it at a time (1)
  --preference NAME    balanced (usual), quality, speed or longest-context
  --reserve SIZE       what to leave free on each device: bytes, or a size such as 1GiB (usual)
Decide a part yourself, and the rest follows:
  --tier BF16|FP8|INT4 · --quantization NAME · --kv f16|q8_0 · --pin-context TOKENS
  --placement gpu|multi-gpu|partial|cpu`,
  options: {
    model: { type: "string", short: "m" },
    gpus: { type: "string" },
    hardware: { type: "string" },
    context: { type: "string" },
    "pin-context": { type: "string" },
    users: { type: "string" },
    preference: { type: "string" },
    reserve: { type: "string" },
    tier: { type: "string" },
    quantization: { type: "string" },
    kv: { type: "string" },
    placement: { type: "string" },
  },
  async run({ values, positionals, connect, output, signal, resourcesDirectory }) {
    const [named, ...rest] = positionals;
    const given = values.model ?? named;
    if (given === undefined || given.trim() === "") throw new UsageError("Say which model: corral plan --model ID.");
    if (rest.length > 0 || (values.model !== undefined && named !== undefined)) {
      throw new UsageError("corral plan takes one model. Put a description of GPUs in quotes.");
    }
    if (values.hardware !== undefined && values.gpus !== undefined) {
      throw new UsageError("Use either --hardware or --gpus, not both.");
    }
    const tokens = (text: string, option: string) => wholeNumber(withoutK(text), option, 1, mostTokens);
    const pins: PlanPins = {
      tier: oneOf<PrecisionTier>(values.tier?.toUpperCase(), "--tier", precisionTier.options),
      quantization: values.quantization,
      kvCacheType: oneOf<KvCacheType>(values.kv?.toLowerCase(), "--kv", kvCacheType.options),
      contextSize: values["pin-context"] === undefined ? undefined : tokens(values["pin-context"], "--pin-context"),
      placement: oneOf(
        values.placement?.toLowerCase(),
        "--placement",
        placementKind.options.filter((kind) => kind !== "none"),
      ),
    };
    const isFile = /\.gguf$/i.test(given);
    const request: PlanRequest = {
      model: isFile ? resolve(given) : given,
      hardware: values.hardware === undefined ? undefined : await readHardwareFile(resolve(values.hardware)),
      gpus: values.gpus,
      contextSize: values.context === undefined ? 131_072 : tokens(values.context, "--context"),
      users: values.users === undefined ? 1 : wholeNumber(values.users, "--users", 1, 256),
      preference: oneOf<PlanPreference>(values.preference?.toLowerCase(), "--preference", planPreference.options),
      pins,
      reserveBytes: values.reserve === undefined ? undefined : parseByteSize(values.reserve, "--reserve"),
    };
    // Of the catalog and of files everything is known without a host.
    const { createPlanner } = await import("../main.ts");
    const made = await createPlanner(resourcesDirectory)
      .planFor(request, signal)
      .catch(async (error: unknown) => {
        if (!(error instanceof CorralError)) throw error;
        if (error.code === "INVALID_INPUT" && field(error.data) === "gpus") {
          throw new UsageError(`--gpus is not understood: ${error.message}`);
        }
        if (error.code !== "MODEL_NOT_FOUND") throw error;
        await using session = await connect();
        return await session.client.models.planFor(request, { signal });
      });
    output.result(made, () => describePlan(made));
  },
});

/** "128K" is 131072. */
function withoutK(text: string): string {
  const thousands = /^(\d{1,6})k$/i.exec(text)?.[1];
  return thousands === undefined ? text : String(Number(thousands) * 1024);
}

function oneOf<Value extends string>(
  text: string | undefined,
  option: string,
  known: readonly Value[],
): Value | undefined {
  if (text === undefined) return undefined;
  const value = known.find((candidate) => candidate === text);
  if (value === undefined) throw new UsageError(`${option} takes ${known.join(", ")}, not "${text}".`);
  return value;
}

function field(data: unknown): unknown {
  return typeof data === "object" && data !== null && "field" in data ? data.field : undefined;
}
