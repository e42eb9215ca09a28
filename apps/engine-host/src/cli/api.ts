import { CorralError } from "@corral/protocol";
import { readHostRecord, readOwnerKey } from "../data-directory.ts";
import { DEFAULT_PORT } from "../config.ts";
import { defineCommand, UsageError } from "./command.ts";

/** How long the running host may take to answer, ms. */
const ANSWER_MS = 5_000;

export const api = defineCommand({
  name: "api",
  summary: "show how other programs use the running Corral: base URL, key, an example",
  help: `
Usage: corral api [--data DIR] [--json]

Shows what a program needs to use the Corral that runs on the data directory (corral serve, or the desktop app) through the
OpenAI or the Anthropic API: base URL, key, the models there are, and an example. The key is the owner's: whoever has it
may do everything, so give it only to programs on this machine that you trust.
A model named MODEL+COLLECTION answers from the documents of that collection, with citations as annotations.
With --json: {"openaiBaseUrl","anthropicBaseUrl","key","models"}`,
  options: {},
  async run({ positionals, output, signal, dataDirectory }) {
    if (positionals.length > 0) throw new UsageError("corral api takes no arguments.");
    const address = readHostRecord(dataDirectory)?.address ?? null;
    const key = readOwnerKey(dataDirectory);
    // The key is only ever sent to this machine, whatever a damaged record says.
    if (address === null || key === null || new URL(address).hostname !== "127.0.0.1") throw notRunning();
    const models = await listModels(address, key, signal);
    const openaiBaseUrl = `${address}/v1`;
    output.result({ openaiBaseUrl, anthropicBaseUrl: address, key, models }, () =>
      describe({ openaiBaseUrl, anthropicBaseUrl: address, key, models }),
    );
  },
});

interface Access {
  openaiBaseUrl: string;
  anthropicBaseUrl: string;
  key: string;
  models: string[];
}

async function listModels(address: string, key: string, signal: AbortSignal): Promise<string[]> {
  const answer = await fetch(`${address}/v1/models`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  }).catch(() => null);
  // Another program may listen there by now.
  if (!answer?.ok) throw notRunning(address);
  const { data } = (await answer.json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

function notRunning(address = `http://127.0.0.1:${DEFAULT_PORT}`): CorralError {
  const message = "Corral is not running on this data directory. Start it with corral serve, then ask again.";
  return new CorralError("HOST_UNREACHABLE", message, { address });
}

function describe({ openaiBaseUrl, anthropicBaseUrl, key, models }: Access): string {
  const model = models.find((id) => id.includes("+")) ?? models[0] ?? "MODEL";
  const request = JSON.stringify({ model, messages: [{ role: "user", content: "When does the gate close?" }] });
  return [
    `OpenAI base URL     ${openaiBaseUrl}`,
    `Anthropic base URL  ${anthropicBaseUrl}`,
    `Key                 ${key}`,
    `Models              ${models.join("\n                    ") || "none yet: corral models add FILE.gguf"}`,
    "",
    "Try it:",
    `  curl ${openaiBaseUrl}/chat/completions \\`,
    `    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
    `    -d ${shellQuoted(request)}`,
    "",
    "Most programs read it from their environment:",
    `  export OPENAI_BASE_URL=${openaiBaseUrl} OPENAI_API_KEY=${key}`,
    `  export ANTHROPIC_BASE_URL=${anthropicBaseUrl} ANTHROPIC_API_KEY=${key}`,
  ].join("\n");
}

/** One word for a POSIX shell, whatever a collection is called. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
