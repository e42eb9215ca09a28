import { resolve } from "node:path";
import type { ModelSummary } from "@corral/protocol";
import { defineCommand, onlyArgument, UsageError } from "./command.ts";
import { bytes, table } from "./output.ts";
import { describePlan } from "./plan-text.ts";

export const models = defineCommand({
  name: "models",
  summary: "list, add and remove models; show how one would be loaded",
  help: `
Usage: corral models list [--json]
       corral models add FILE.gguf [--json]
       corral models remove ID [--json]
       corral models plan ID [--json]

list    shows the models on this machine; the first is the one that answers unless told otherwise.
add     registers a GGUF file where it lies, after checking that it is whole.
remove  forgets a model; its file stays.
plan    says how a model would be loaded on this machine, what memory that takes, and why.`,
  options: {},
  async run({ positionals, connect, output, signal }) {
    const [action, ...rest] = positionals;
    if (action === "list") {
      if (rest.length > 0) throw new UsageError("corral models list takes no arguments.");
      await using session = await connect();
      const list = await session.client.models.list(undefined, { signal });
      return output.result({ models: list }, () => describeModels(list));
    }
    if (action !== "add" && action !== "remove" && action !== "plan") {
      throw new UsageError("Say what to do: corral models list, add, remove or plan.");
    }
    const argument = onlyArgument(rest, action === "add" ? "which GGUF file to add" : "the id of the model");
    await using session = await connect();
    const { client } = session;
    if (action === "add") {
      const model = await client.models.add({ path: resolve(argument) }, { signal });
      return output.result(model, () => `Added ${model.name} as ${model.id}.`);
    }
    if (action === "remove") {
      await client.models.remove({ model: argument }, { signal });
      return output.result({ removed: argument }, () => `Removed ${argument}. Its file stays.`);
    }
    const plan = await client.models.plan({ model: argument }, { signal });
    output.result(plan, () => describePlan(plan));
  },
});

function describeModels(list: ModelSummary[]): string {
  if (list.length === 0) return "There are no models. Add one: corral models add FILE.gguf.";
  const rows = list.map((model) => [
    model.id,
    model.name,
    `${model.tier} · ${model.quantization}`,
    bytes(model.fileBytes),
    model.ability === "quote" ? "quotes documents" : "answers anything",
    model.lastError?.message ?? model.state,
  ]);
  return table([["ID", "NAME", "PRECISION", "SIZE", "ABILITY", "STATE"], ...rows]);
}
