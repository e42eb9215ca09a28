import { z } from "zod";
import type { GenerateRequest } from "../../engines/engine.ts";
import { invalid } from "../api-error.ts";
import { boundedList } from "../request-body.ts";

/** Replies to one request, written side by side. */
export const mostChoices = 8;
const mostStops = 16;
const mostBiases = 1_024;

/** Longest reply anybody can ask for, tokens; the model's context is the real limit. */
export const mostTokens = 16_777_216;

const finite = (least: number, most: number) => z.number().min(least).max(most).nullish();

/** How the next token is chosen, in the fields chat completions and completions share. */
export const samplingFields = {
  temperature: finite(0, 2),
  top_p: finite(0, 1),
  frequency_penalty: finite(-2, 2),
  presence_penalty: finite(-2, 2),
  seed: z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).nullish(),
  logit_bias: z
    .custom<object>((given) => typeof given === "object" && given !== null, "must map token ids to biases")
    // Counted before its entries are looked at.
    .refine((given) => Object.keys(given).length <= mostBiases, `at most ${mostBiases} tokens`)
    .pipe(z.record(z.string().regex(/^\d{1,9}$/, "the keys are token ids"), z.number().min(-100).max(100)))
    .nullish(),
  stop: z.union([z.string().max(1_000), boundedList(z.string().min(1).max(1_000), mostStops)]).nullish(),
  n: z.number().int().min(1).max(mostChoices).nullish(),
  max_tokens: z.number().int().min(1).max(mostTokens).nullish(),
  user: z.string().max(1_000).nullish(),
  // What llama-server and vLLM take besides.
  top_k: z.number().int().min(-1).max(1_000).nullish(),
  min_p: finite(0, 1),
  repetition_penalty: finite(1, 2),
  repeat_penalty: finite(1, 2),
};

type SamplingFields = { [Name in keyof typeof samplingFields]?: z.infer<(typeof samplingFields)[Name]> };

/** These fields as the engine takes them; what is absent keeps its default. */
export function samplingOf(fields: SamplingFields): Partial<GenerateRequest> {
  const { temperature, top_p: topP, top_k: topK, min_p: minP, seed, stop, logit_bias: bias } = fields;
  const repeatPenalty = fields.repetition_penalty ?? fields.repeat_penalty;
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  return defined({
    temperature,
    // A top_p of 0 leaves the likeliest token, as a very small one does.
    topP: topP === 0 ? 1e-6 : topP,
    // vLLM's -1 means all tokens, as 0 does here.
    topK: topK === -1 ? 0 : topK,
    minP,
    repeatPenalty,
    // Any whole number is a seed for OpenAI; the engine has 32 bits.
    seed: typeof seed === "number" ? Math.abs(seed) % 2 ** 32 : undefined,
    frequencyPenalty: fields.frequency_penalty,
    presencePenalty: fields.presence_penalty,
    stop: stops.length === 0 || stops[0] === "" ? undefined : stops,
    logitBias: bias && Object.fromEntries(Object.entries(bias).map(([token, amount]) => [Number(token), amount])),
  });
}

/** The object without what is undefined or null. */
function defined(values: { [Name in keyof GenerateRequest]?: GenerateRequest[Name] | null | undefined }) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<GenerateRequest>;
}

/** @throws ApiError when stream_options come without stream */
export function checkStreamOptions(body: { stream?: boolean | null | undefined; stream_options?: unknown }): void {
  if (body.stream_options === undefined || body.stream_options === null || body.stream === true) return;
  throw invalid("stream_options", "stream_options is only allowed when stream is true.");
}
