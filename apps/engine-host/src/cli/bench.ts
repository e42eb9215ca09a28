import type { BenchEvent, BenchReport, BenchRow } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { bytes, type Output, table } from "./output.ts";

export const bench = defineCommand({
  name: "bench",
  summary: "measure how fast a model is on this machine",
  help: `
Usage: corral bench [--model ID] [--last] [--json]

Measures prefill and decoding, the time to the first token (cold; with the prompt in the KV cache; with it restored from
disk after the model was loaded anew), and 1, 4, 8 and 16 replies at once as far as the model has slots, beside the bare
node-llama-cpp loop in the same run. Nothing else should be busy meanwhile. The model is unloaded on the way.
  --model ID  another model than the one that answers unless told otherwise
  --last      shows the newest report and measures nothing
With --json: {"measuredAt","model","machine","rows":[{"id","streams"?,"unit","corral","bare","ratio"}]}; a ratio of 1 is
as fast as the bare loop, more is faster. More replies at once: corral models settings --parallel NUMBER.`,
  options: { model: { type: "string" }, last: { type: "boolean" } },
  async run({ values, positionals, connect, output, signal }) {
    if (positionals.length > 0) throw new UsageError("corral bench takes no arguments but its options.");
    await using session = await connect();
    const { bench: procedures } = session.client;
    if (values.last) {
      const [newest] = await procedures.reports(undefined, { signal });
      if (!newest) throw new UsageError("Nothing was measured yet: corral bench.");
      return output.result(newest, () => describe(newest));
    }
    const report = await follow(await procedures.run({ model: values.model ?? null }, { signal }), output);
    output.result(report, () => describe(report));
  },
});

async function follow(events: AsyncIterable<BenchEvent>, output: Output): Promise<BenchReport> {
  for await (const event of events) {
    if (event.type === "report") return event.report;
    output.status(`Measuring … ${event.done} of ${event.total} (${event.step})`);
  }
  throw new Error("The host ended the measurement without a report.");
}

const names: Record<BenchRow["id"], string> = {
  prefill: "prefill",
  decode: "decode",
  "ttft-cold": "first token, cold",
  "ttft-warm": "first token, prompt in the KV cache",
  "ttft-restored": "first token, restored from disk",
  streams: "at once",
};

function describe({ model, machine, rows }: BenchReport): string {
  const lines = rows.map(({ id, streams, unit, corral, bare, ratio }) => [
    streams === undefined ? names[id] : `${streams} ${names[id]}`,
    `${corral} ${unit}`,
    bare === null ? "–" : `${bare} ${unit}`,
    ratio === null ? "–" : `${ratio}`,
  ]);
  const { cpu, cores, memoryBytes, gpus } = machine;
  const on = [...gpus, cpu, `${cores} cores`, bytes(memoryBytes)].join(", ");
  return `${model.name} ${model.quantization} on ${on}\n${table([["", "CORRAL", "BARE", "RATIO"], ...lines])}`;
}
