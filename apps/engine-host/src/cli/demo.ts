import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CorralError } from "@corral/protocol";
import { addDocuments } from "./add-documents.ts";
import { defineCommand, UsageError } from "./command.ts";
import { describeHardware } from "./hardware.ts";
import { openSession } from "./host-client.ts";
import { describePlan } from "./plan-text.ts";
import { count, duration } from "./output.ts";
import { askOnce, describeCitations, describeSpeed } from "./question.ts";

export const demo = defineCommand({
  name: "demo",
  summary: "see the main job done in under a minute, with sample documents",
  help: `
Usage: corral demo ["QUESTION"]

Shows the hardware and how the model is loaded on it and why, reads the sample documents, asks them one question and
streams the answer with its sources. Works in a temporary folder and leaves nothing behind.`,
  options: {},
  async run({ positionals, output, signal, resourcesDirectory }) {
    if (positionals.length > 1) throw new UsageError('Put the question in quotes: corral demo "QUESTION".');
    const started = performance.now();
    const directory = await mkdtemp(join(tmpdir(), "corral-demo-"));
    try {
      await using session = await openSession({ dataDirectory: directory, resourcesDirectory, signal });
      const { client } = session;

      output.heading("This machine");
      output.print(describeHardware(await client.hardware.snapshot(undefined, { signal })));

      const [model] = await client.models.list(undefined, { signal });
      if (model) {
        output.heading(`The model: ${model.name}`);
        output.print(describePlan(await client.models.plan({ model: model.id }, { signal })));
      }

      output.heading("Reading the sample documents");
      const samples = join(resourcesDirectory, "samples");
      const { documents } = await addDocuments(client, "Samples", [samples], output, signal);
      for (const { file, pages, chunks, error } of documents) {
        const length = [...(pages === null ? [] : [count(pages, "page")]), count(chunks ?? 0, "passage")].join(", ");
        const detail = error ? error.message : length;
        output.print(`  ${error ? "✗" : "✓"} ${file.slice(samples.length + 1)}: ${detail}`);
      }

      const refused = documents.find(({ error }) => error)?.error;
      if (refused && documents.every(({ error }) => error)) {
        throw new CorralError(refused.code, refused.message, refused.data as never);
      }
      const question = positionals[0] ?? (await sampleQuestion(samples));
      output.heading(`Question: ${question}`);
      const [collection] = await client.library.collections(undefined, { signal });
      const sources = { collectionIds: collection ? [collection.id] : [], documentIds: [] };
      const answer = await askOnce(client, question, { sources }, output, signal);
      output.print(`\n\n${describeCitations(answer)}\n\n${describeSpeed(answer)}`);
      const citations = answer.citations.map(({ document, page, quote, chunkId }) => ({
        document,
        page,
        quote,
        chunkId,
      }));
      if (output.json) {
        output.result({ question, answer: answer.text, citations, timings: answer.timings, documents }, () => "");
      }
      output.print(`\nAll of it took ${duration(performance.now() - started)}, and nothing left this machine.`);
      output.print("Now with your own documents: npm start, or corral serve --open.");
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
});

/** What is worth asking the samples: the first line of the file beside them. */
async function sampleQuestion(samples: string): Promise<string> {
  const file = await readFile(join(samples, "../sample-questions.txt"), "utf8").catch(() => "");
  return file.split("\n").find((line) => line.trim() !== "") ?? "What is this about?";
}
