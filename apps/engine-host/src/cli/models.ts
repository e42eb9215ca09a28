import { resolve } from "node:path";
import type { CorralClient, ModelsActivity, ModelSummary, ServingSettings } from "@corral/protocol";
import { parseByteSize } from "./byte-size.ts";
import { defineCommand, onlyArgument, UsageError, wholeNumber } from "./command.ts";
import { bytes, table } from "./output.ts";
import { describePlan } from "./plan-text.ts";

const actions = ["list", "add", "remove", "plan", "use", "load", "unload", "activity", "settings"] as const;

export const models = defineCommand({
  name: "models",
  summary: "list, add, remove and choose models; see what they do and how they are served",
  help: `
Usage: corral models list [--json]
       corral models add FILE.gguf [--json]
       corral models remove ID [--json]
       corral models plan ID [--json]
       corral models use ID [--json]
       corral models load ID · unload ID [--json]
       corral models activity [--json]
       corral models settings [--keep-alive MINUTES|never] [--parallel NUMBER|auto] [--states SIZE|auto] [--draft ID=DRAFT|off]
                            [--context ID=TOKENS|auto] [--json]

list      shows the models on this machine; the first is the one that answers unless told otherwise.
add       registers a GGUF file where it lies, after checking that it is whole.
remove    forgets a model; its file stays.
plan      says how a model would be loaded on this machine, what memory that takes, and why.
use       makes a model the one that answers questions which name none; or, by what it is made for, the one that
          embeds or ranks passages for the search.
load      loads a model now, so that the first question need not wait. unload frees its memory once its replies are written.
activity  shows what each model does: slots, queue, tokens.
settings  shows how models are served, and changes what is given:
  --keep-alive MINUTES  a model nobody used for so long is unloaded (30; never: it stays)
  --parallel NUMBER     replies a model writes side by side (auto: as many as cost nothing, four at most); from its next load
  --draft ID=DRAFT|off  a small model of the same vocabulary guesses tokens for model ID, where that is measured to be
                        faster; from its next load
  --context ID=TOKENS   context of model ID (auto: all the model was trained for on GPUs, 8192 on a processor), if memory
                        allows; from its next load
  --states SIZE         disk space for conversations that lost their place in memory, such as 10GB (auto: a tenth of what
                        is free, 10 GB at most); from its next load`,
  options: {
    "keep-alive": { type: "string" },
    parallel: { type: "string" },
    states: { type: "string" },
    draft: { type: "string" },
    context: { type: "string" },
  },
  async run({ values, positionals, connect, output, signal }) {
    const [given, ...rest] = positionals;
    const action = actions.find((name) => name === given);
    if (action === undefined) throw new UsageError(`Say what to do: corral models ${actions.join(", ")}.`);
    const isPlain = action === "list" || action === "activity" || action === "settings";
    if (isPlain && rest.length > 0) throw new UsageError(`corral models ${action} takes no arguments.`);
    const changes = changesOf(values);
    const draft = pairOf(values.draft, "--draft takes the ids of two models such as large=small, or large=off");
    const context = pairOf(
      values.context,
      "--context takes a model's id and a number such as large=131072, or large=auto",
    );
    if ((draft || context || Object.keys(changes).length > 0) && action !== "settings") {
      throw new UsageError(
        "--keep-alive, --parallel, --states, --draft and --context belong to corral models settings.",
      );
    }
    const argument = isPlain
      ? ""
      : onlyArgument(rest, action === "add" ? "which GGUF file to add" : "the id of the model");
    await using session = await connect();
    const procedures = session.client.models;
    const model = argument;
    switch (action) {
      case "list": {
        const list = await procedures.list(undefined, { signal });
        return output.result({ models: list }, () => describeModels(list));
      }
      case "add": {
        const added = await procedures.add({ path: resolve(argument) }, { signal });
        return output.result(added, () => `Added ${added.name} as ${added.id}.`);
      }
      case "remove":
        await procedures.remove({ model }, { signal });
        return output.result({ removed: argument }, () => `Removed ${argument}. Its file stays.`);
      case "plan": {
        const plan = await procedures.plan({ model }, { signal });
        return output.result(plan, () => describePlan(plan));
      }
      case "load":
      case "unload": {
        const summary = await procedures[action]({ model }, { signal });
        return output.result(summary, () => `${summary.name} is ${summary.state}.`);
      }
      case "use": {
        const { settings, use } = await useModel(session.client, model, signal);
        return output.result(settings, () => `${model} ${use}.`);
      }
      case "activity": {
        const activity = await firstOf(await procedures.activity(undefined, { signal }));
        return output.result(activity, () => describeActivity(activity));
      }
      case "settings": {
        if (draft) {
          const { [draft.model]: _, ...others } = (await procedures.settings(undefined, { signal })).draftModels;
          changes.draftModels = draft.value === "off" ? others : { ...others, [draft.model]: draft.value };
        }
        if (context) {
          const { [context.model]: _, ...others } = (await procedures.settings(undefined, { signal })).contextSizes;
          const tokens = context.value === "auto" ? null : wholeNumber(context.value, "--context", 512, 16_777_216);
          changes.contextSizes = tokens === null ? others : { ...others, [context.model]: tokens };
        }
        const settings = await procedures.configure(changes, { signal });
        return output.result(settings, () => describeSettings(settings));
      }
    }
  },
});

function changesOf(values: { "keep-alive"?: string; parallel?: string; states?: string }): Partial<ServingSettings> {
  const { "keep-alive": keepAlive, parallel, states } = values;
  const changes: Partial<ServingSettings> = {};
  if (keepAlive !== undefined) {
    const minutes = keepAlive === "never" ? null : wholeNumber(keepAlive, "--keep-alive", 0, 525_600);
    changes.keepAliveMs = minutes === null ? null : minutes * 60_000;
  }
  if (parallel !== undefined) {
    changes.parallelReplies = parallel === "auto" ? null : wholeNumber(parallel, "--parallel", 1, 64);
  }
  if (states !== undefined) changes.stateBudgetBytes = states === "auto" ? null : parseByteSize(states, "--states");
  return changes;
}

function pairOf(text: string | undefined, usage: string): { model: string; value: string } | null {
  if (text === undefined) return null;
  const [model = "", value = "", ...rest] = text.split("=");
  if (model !== "" && value !== "" && rest.length === 0) return { model, value };
  throw new UsageError(`${usage}, not "${text}".`);
}

/** Chooses a model for what it is made for. */
async function useModel(client: CorralClient, model: string, signal: AbortSignal) {
  const { ability } = (await client.models.list(undefined, { signal })).find(({ id }) => id === model) ?? {};
  switch (ability) {
    case "embed":
      return {
        settings: await client.models.configure({ embeddingModel: model }, { signal }),
        use: "embeds passages for the search now",
      };
    case "rank":
      return {
        settings: await client.models.configure({ rerankModel: model }, { signal }),
        use: "ranks passages for the search now",
      };
    default:
      return {
        settings: await client.models.configure({ defaultModel: model }, { signal }),
        use: "answers questions that name no model now",
      };
  }
}

async function firstOf<Value>(stream: AsyncIterable<Value>): Promise<Value> {
  for await (const value of stream) return value;
  throw new Error("The stream of the activity ended before it began.");
}

const abilities: Record<ModelSummary["ability"], string> = {
  chat: "answers anything",
  quote: "quotes documents",
  embed: "embeds for the search",
  rank: "ranks for the search",
};

function describeModels(list: ModelSummary[]): string {
  if (list.length === 0) return "There are no models. Add one: corral models add FILE.gguf.";
  const rows = list.map((model) => [
    model.id,
    model.name,
    `${model.tier} · ${model.quantization}`,
    bytes(model.fileBytes),
    abilities[model.ability],
    model.lastError?.message ?? model.state,
  ]);
  return table([["ID", "NAME", "PRECISION", "SIZE", "ABILITY", "STATE"], ...rows]);
}

function describeActivity({ models }: ModelsActivity): string {
  const rows = models.map(({ model, state, slots, running, queued, counters }) => [
    model,
    state,
    slots.map(({ contextSize, total, busy }) => `${busy}/${total} × ${contextSize}`).join(", ") || "–",
    `${running}`,
    `${queued}`,
    `${counters.promptTokens}`,
    `${counters.completionTokens}`,
  ]);
  return table([["MODEL", "STATE", "SLOTS", "RUNNING", "QUEUED", "READ", "WRITTEN"], ...rows]);
}

function describeSettings(settings: ServingSettings): string {
  const { keepAliveMs, parallelReplies, stateBudgetBytes, defaultModel, embeddingModel, rerankModel } = settings;
  return table([
    ["Unused models are unloaded after", keepAliveMs === null ? "never" : `${keepAliveMs / 60_000} min`],
    ["Replies side by side", parallelReplies === null ? "auto" : `${parallelReplies}`],
    ["Disk space for conversations", stateBudgetBytes === null ? "auto" : bytes(stateBudgetBytes)],
    ["Answers", defaultModel ?? "the first model added"],
    ["Embeds", embeddingModel ?? "the first embedding model added"],
    ["Ranks", rerankModel ?? "the first reranking model added"],
    ...Object.entries(settings.draftModels).map(([model, draft]) => [`Guesses tokens for ${model}`, draft]),
    ...Object.entries(settings.contextSizes).map(([model, tokens]) => [`Context of ${model}`, `${tokens}`]),
  ]);
}
