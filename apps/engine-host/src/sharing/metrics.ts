import type { HardwareSample, LatencyHistogram, ModelActivity } from "@corral/protocol";
import type { ApiServices } from "./api.ts";
import type { RequestCounts } from "./request-counts.ts";

/** How long the devices may take to tell what they use, ms. Their tools can be slow; without them the rest is told. */
const sampleMs = 1_500;

type Labels = Record<string, string | number>;

/** GET /metrics in Prometheus' text format 0.0.4. */
export async function metrics({ models, hardware }: ApiServices, counts: RequestCounts): Promise<Response> {
  const [activity, sample] = await Promise.all([models.activity(), sampleOf(hardware)]);
  const text = new MetricsText();
  text.add("corral_start_time_seconds", "gauge", "When the counters started.", [
    [{}, Date.parse(activity.since) / 1000],
  ]);
  describeModels(text, activity.models);
  describeRequests(text, counts);
  if (sample !== null) describeDevices(text, sample);
  return new Response(text.toString(), { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
}

function describeModels(text: MetricsText, models: ModelActivity[]): void {
  const perModel = (value: (model: ModelActivity) => number) =>
    models.map((model): [Labels, number] => [{ model: model.model }, value(model)]);
  const tokens = (kind: "promptTokens" | "cachedTokens" | "completionTokens") =>
    perModel(({ counters }) => counters[kind]);
  text.add("corral_prompt_tokens_total", "counter", "Prompt tokens read.", tokens("promptTokens"));
  text.add("corral_cached_tokens_total", "counter", "Of those, found in a KV cache.", tokens("cachedTokens"));
  text.add("corral_completion_tokens_total", "counter", "Tokens written.", tokens("completionTokens"));
  const outcomes = ["completed", "cancelled", "failed", "refusedQueueFull", "refusedRateLimited"] as const;
  text.add(
    "corral_replies_total",
    "counter",
    "Replies by how they ended.",
    models.flatMap((model) =>
      outcomes.map((outcome): [Labels, number] => [
        { model: model.model, outcome: snakeCase(outcome) },
        model.counters[outcome],
      ]),
    ),
  );
  text.add(
    "corral_model_loads_total",
    "counter",
    "Loads.",
    perModel(({ counters }) => counters.loads),
  );
  text.add(
    "corral_engine_crashes_total",
    "counter",
    "Engines that died.",
    perModel(({ counters }) => counters.crashes),
  );
  text.add(
    "corral_model_state",
    "gauge",
    "1 for the state a model is in.",
    models.map(({ model, state }) => [{ model, state }, 1]),
  );
  text.add(
    "corral_requests_running",
    "gauge",
    "Replies being written.",
    perModel(({ running }) => running),
  );
  text.add(
    "corral_requests_queued",
    "gauge",
    "Requests that wait.",
    perModel(({ queued }) => queued),
  );
  const bySlot = (value: (slot: ModelActivity["slots"][number]) => number) =>
    models.flatMap(({ model, slots }) =>
      slots.map((slot): [Labels, number] => [{ model, context: slot.contextSize }, value(slot)]),
    );
  text.add(
    "corral_slots",
    "gauge",
    "Slots by context size in tokens.",
    bySlot(({ total }) => total),
  );
  text.add(
    "corral_slots_busy",
    "gauge",
    "Of those, in use.",
    bySlot(({ busy }) => busy),
  );
  text.add(
    "corral_kv_cache_tokens",
    "gauge",
    "KV cache of all slots, tokens.",
    perModel((model) => model.kvTotalTokens),
  );
  text.add(
    "corral_kv_cache_used_tokens",
    "gauge",
    "Of that, in use.",
    perModel((model) => model.kvUsedTokens),
  );
  text.add(
    "corral_model_memory_bytes",
    "gauge",
    "Memory a loaded model takes of each device.",
    models.flatMap(({ model, memory }) =>
      memory.map(({ device, name, bytes }): [Labels, number] => [{ model, device, name }, bytes]),
    ),
  );
  text.histogram(
    "corral_time_to_first_token_seconds",
    "From a request to its first token, queue included.",
    models.map(({ model, timeToFirstToken }) => [{ model }, inSeconds(timeToFirstToken)]),
  );
  text.histogram(
    "corral_queue_wait_seconds",
    "What a request waited for its turn.",
    models.map(({ model, queueWait }) => [{ model }, inSeconds(queueWait)]),
  );
}

function describeRequests(text: MetricsText, { routes, streams, boundsSeconds }: RequestCounts): void {
  text.add(
    "corral_http_requests_total",
    "counter",
    "API requests by route and status (499: the caller left).",
    routes.flatMap(({ route, statuses }) =>
      [...statuses].map(([status, count]): [Labels, number] => [{ route, status }, count]),
    ),
  );
  text.histogram(
    "corral_http_request_seconds",
    "Until the answer was whole; of streams, until it began.",
    routes.map(({ route, ranges, sumSeconds }) => [
      { route },
      { bounds: boundsSeconds, counts: ranges, sum: sumSeconds },
    ]),
  );
  text.add(
    "corral_http_streams_total",
    "counter",
    "Streamed answers by how they ended.",
    Object.entries(streams).map(([outcome, count]) => [{ outcome }, count]),
  );
}

function describeDevices(text: MetricsText, { memory, gpus }: HardwareSample): void {
  const known = (value: (gpu: HardwareSample["gpus"][number]) => number | null) =>
    gpus.flatMap((gpu): [Labels, number][] => {
      const told = value(gpu);
      return told === null ? [] : [[{ device: gpu.id }, told]];
    });
  text.add("corral_memory_available_bytes", "gauge", "Main memory that is free.", [[{}, memory.availableBytes]]);
  text.add(
    "corral_gpu_memory_used_bytes",
    "gauge",
    "GPU memory in use, by anybody.",
    known((gpu) => gpu.usedBytes),
  );
  text.add(
    "corral_gpu_memory_free_bytes",
    "gauge",
    "GPU memory that is free.",
    known((gpu) => gpu.freeBytes),
  );
  text.add(
    "corral_gpu_utilization_percent",
    "gauge",
    "GPU use.",
    known((gpu) => gpu.utilizationPercent),
  );
}

/** The next sample of the devices; null when none comes in time. */
async function sampleOf(hardware: ApiServices["hardware"]): Promise<HardwareSample | null> {
  try {
    for await (const sample of hardware.watch(AbortSignal.timeout(sampleMs))) return sample;
  } catch {
    // Whoever watches a machine learns the rest all the same.
  }
  return null;
}

interface Histogram {
  /** Upper bounds, ascending. */
  bounds: readonly number[];
  /** One per bound and one more; not cumulative. */
  counts: readonly number[];
  sum: number;
}

function inSeconds({ boundsMs, counts, sumMs }: LatencyHistogram): Histogram {
  return { bounds: boundsMs.map((bound) => bound / 1000), counts, sum: sumMs / 1000 };
}

/** "refusedQueueFull" → "refused_queue_full". */
function snakeCase(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Prometheus' text, metric by metric. */
class MetricsText {
  #text = "";

  add(name: string, type: "counter" | "gauge", help: string, samples: [Labels, number][]): void {
    if (samples.length === 0) return;
    this.#head(name, type, help);
    for (const [labels, value] of samples) this.#line(name, labels, value);
  }

  histogram(name: string, help: string, samples: [Labels, Histogram][]): void {
    if (samples.length === 0) return;
    this.#head(name, "histogram", help);
    for (const [labels, { bounds, counts, sum }] of samples) {
      let below = 0;
      for (const [at, bound] of bounds.entries()) {
        below += counts[at] ?? 0;
        this.#line(`${name}_bucket`, { ...labels, le: bound }, below);
      }
      const all = below + (counts[bounds.length] ?? 0);
      this.#line(`${name}_bucket`, { ...labels, le: "+Inf" }, all);
      this.#line(`${name}_sum`, labels, sum);
      this.#line(`${name}_count`, labels, all);
    }
  }

  #head(name: string, type: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  #line(name: string, labels: Labels, value: number): void {
    const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`);
    this.#text += `${name}${inside.length > 0 ? `{${inside.join(",")}}` : ""} ${value}\n`;
  }

  toString(): string {
    return this.#text;
  }
}

function escaped(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
