import { parseArgs } from "node:util";
import { benchModel } from "./make-model.ts";
import { progress, report, type Table } from "./report.ts";
import { startServing } from "./serving-host.ts";
import { type Comparison, measureTurns, measureWhileIndexing } from "./serving-latency.ts";
import { measureQuotes } from "./serving-quotes.ts";
import { measureShortBesideLong } from "./serving-short.ts";
import { measureSpeed } from "./serving-speed.ts";

const models = ["100m", "1b"] as const;
/** Issue 5: decoding beside the bare loop. */
const leastToBare = { "100m": 0.93, "1b": 0.97 };

/**
 * `npm run bench -- serving [100m] [1b] [--quick] [--threads 2] [--only speed,turns,short,quotes,indexing]`: the figures of
 * issue 5, through HTTP and server-sent events of a host in its own process. CORRAL_LLAMA_SERVER names llama.cpp's server
 * to compare with. About ten minutes; --quick is for trying the script.
 */
export async function run(parameters: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      threads: { type: "string", default: "2" },
      only: { type: "string", default: "speed,turns,short,quotes,indexing" },
    },
  });
  const wanted = new Set(values.only.split(","));
  const { quick } = values;
  const threads = Number(values.threads);
  const chosen = models.filter((size) => positionals.length === 0 || positionals.includes(size));
  const tables: Record<string, Table> = {};
  const goals: Record<string, boolean> = {};
  // What breaks is told, and the other figures are measured all the same.
  const attempt = async (what: string, measure: () => Promise<void>) => {
    progress(what);
    try {
      await measure();
    } catch (error) {
      tables[`${what}: failed`] = [{ reason: error instanceof Error ? error.message : String(error) }];
      goals[`${what}: measured`] = false;
    }
  };
  const others: Table = [];
  const note = ({ row, ratio }: Comparison, goal: string, isMet: (ratio: number) => boolean) => {
    others.push(row);
    if (ratio !== null) goals[goal] = isMet(ratio);
  };

  for (const size of wanted.has("speed") ? chosen : []) {
    await attempt(`speed, ${size}`, async () => {
      await using host = await startServing(benchModel(size, "q4_k_m"), threads, 8);
      const rounds = quick ? 1 : size === "1b" ? 3 : 5;
      const replyTokens = quick ? 48 : size === "1b" ? 96 : 256;
      const { table, settings, ratios } = await measureSpeed(host, rounds, replyTokens);
      tables[`${size}, Q4_K_M, random weights`] = table;
      tables[`${size}: settings`] = Object.entries(settings).map(([setting, value]) => ({ setting, value }));
      const least = leastToBare[size];
      goals[`${size}, one stream: at least ${least} of the bare loop`] = ratios.oneToBare >= least;
      if (ratios.oneToServer !== null) {
        goals[`${size}, one stream: at least llama-server's`] = ratios.oneToServer >= 1;
        goals[`${size}, 8 streams: at least llama-server's`] = (ratios.eightToServer ?? 0) >= 1;
      }
    });
  }
  if (wanted.has("turns")) {
    await attempt("turns", async () => {
      await using host = await startServing(benchModel("100m", "q4_k_m"), threads, 1);
      const [second, restored] = await measureTurns(host, quick ? 1 : 3, quick ? 1000 : 4000);
      if (second) note(second, "second turn: at least 20 times faster", (ratio) => ratio >= 20);
      if (restored) note(restored, "restored: at least 5 times faster", (ratio) => ratio >= 5);
    });
  }
  if (wanted.has("short")) {
    await attempt("short beside long", async () => {
      const size = chosen.at(-1) ?? "1b";
      const long = { rounds: quick ? 1 : 5, longTokens: size === "1b" ? 16_000 : 7_000, threads };
      const short = await measureShortBesideLong(benchModel(size, "q4_k_m"), long);
      note(short, "short beside long: at most 3 times slower", (ratio) => ratio <= 3);
    });
  }
  if (wanted.has("quotes")) {
    await attempt("quotes", async () => {
      const [writtenOut, lookup] = await measureQuotes(quick ? 2 : 7, threads);
      if (writtenOut) note(writtenOut, "quoting answer: at least 1.5 times faster", (ratio) => ratio >= 1.5);
      if (lookup) note(lookup, "prompt lookup: never slower (0.95)", (ratio) => ratio >= 0.95);
    });
  }
  if (wanted.has("indexing")) {
    await attempt("while indexing", async () => {
      await using host = await startServing(benchModel("100m", "q4_k_m"), threads, 1);
      const indexing = await measureWhileIndexing(host, quick ? 200 : 1000, quick ? 1 : 5);
      note(indexing, "while 1,000 files are indexed: at least 0.85", (ratio) => ratio >= 0.85);
    });
  }
  if (others.length > 0) tables["the other figures"] = others;
  const isWhole = positionals.length === 0 && wanted.size === 5;
  report(quick ? "serving-quick" : isWhole ? "serving" : "serving-part", tables, goals);
}
