import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CorralError, type CorralClient, type ErrorDataOf } from "@corral/protocol";
import { defineCommand, onlyArgument } from "./command.ts";
import { askOnce, describeCitations, describeSpeed } from "./question.ts";
import { chooseSources } from "./sources.ts";

export const ask = defineCommand({
  name: "ask",
  summary: "ask a question and get an answer with its sources",
  help: `
Usage: corral ask "QUESTION" [--collection NAME] [--model ID|FILE.gguf] [--json]

Answers from the documents of one collection, or of all of them, and says where each answer stands.
  --collection NAME      answer only from this collection
  --model ID|FILE.gguf   the model to ask; a file is added to the list of models first
With --json: {"answer","citations":[{"document","page","quote","chunkId"}],"timings":{…}}; times are in ms.`,
  options: { collection: { type: "string" }, model: { type: "string" } },
  async run({ values, positionals, connect, output, signal }) {
    const question = onlyArgument(positionals, "your question");
    await using session = await connect();
    const { client } = session;
    const sources = await chooseSources(client, values.collection, signal);
    const model = values.model === undefined ? null : await chooseModel(client, values.model, signal);
    const answer = await askOnce(client, question, { sources, model }, output, signal).catch(adviseOnSources);
    const citations = answer.citations.map(({ document, page, quote, chunkId }) => ({
      document,
      page,
      quote,
      chunkId,
    }));
    output.result({ answer: answer.text, citations, timings: answer.timings }, () => {
      const cited = describeCitations(answer);
      return cited ? `\n\n${cited}` : "";
    });
    if (!output.json) output.note(describeSpeed(answer));
  },
});

/** What to do about missing documents is another thing here than on a screen. */
function adviseOnSources(error: unknown): never {
  if (!(error instanceof CorralError) || error.code !== "NO_SOURCES") throw error;
  const message =
    "This model can only quote documents, and there are none yet. Add some: corral docs add FILE --collection NAME.";
  throw new CorralError("NO_SOURCES", message, error.data as ErrorDataOf<"NO_SOURCES">, { cause: error });
}

/** A GGUF file is registered in place (again is harmless); anything else is the id of a model. */
async function chooseModel(client: CorralClient, model: string, signal: AbortSignal): Promise<string> {
  if (!/\.gguf$/i.test(model) && !existsSync(model)) return model;
  return (await client.models.add({ path: resolve(model), inPassing: true }, { signal })).id;
}
