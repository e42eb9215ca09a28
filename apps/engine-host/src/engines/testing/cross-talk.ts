import type { GenerateRequest, LoadedModel } from "../engine.ts";
import { ask, collect, longPassages, never } from "./reader-engine.ts";

/** Somebody with a secret that no other's reply may hold. */
interface Owner {
  name: string;
  /** The canary. */
  secret: string;
  request: GenerateRequest;
}

const names = ["Amber", "Birch", "Cedar", "Dahlia", "Elder", "Fern", "Gorse", "Hazel"];

/** Two of them have prompts long enough to be kept on disk. */
export const owners: readonly Owner[] = names.map((name, index) => {
  const secret = String(7042 + index * 311);
  const passages = [`The ${name} code is ${secret}.`, ...(index < 2 ? longPassages(260, name) : [])];
  const request = ask(`What is the ${name} code?`, passages, { maxTokens: 14, cacheOwner: name });
  return { name, secret, request };
});

export interface CrossTalkReport {
  finished: number;
  cancelled: number;
  /** Replies that hold the secret of another owner. */
  foreign: string[];
  /** Replies that are not what their owner gets alone (cancelled: not how it begins). */
  different: string[];
  /** Turns whose prompt was partly restored from disk. */
  restored: number;
}

/** What each owner gets from a model nobody else uses. */
export async function soloReplies(load: () => Promise<LoadedModel>): Promise<Map<string, string>> {
  const solo = new Map<string, string>();
  await using model = await load();
  for (const { name, request } of owners) {
    // No owner: nothing is shared, each reply begins with an empty KV cache.
    const { cacheOwner: _, ...alone } = request;
    solo.set(name, (await collect(model.generate(alone, never))).text);
  }
  return solo;
}

/**
 * Lets eight owners talk to a model side by side, with cancels in between, and looks at every word they get. After each
 * quarter of the turns the model is loaded anew.
 */
export async function crossTalk(
  load: () => Promise<LoadedModel>,
  solo: ReadonlyMap<string, string>,
  { turns, lanes }: { turns: number; lanes: number },
): Promise<CrossTalkReport> {
  const report: CrossTalkReport = { finished: 0, cancelled: 0, foreign: [], different: [], restored: 0 };
  let seed = 42;
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below;
  for (let quarter = 0; quarter < 4; quarter++) {
    await using model = await load();
    let left = turns / 4;
    const talk = async () => {
      while (left-- > 0) {
        const owner = owners[random(owners.length)]!;
        const cancelAfter = random(4) === 0 ? random(5) : null;
        note(report, owner, solo.get(owner.name) ?? "", await turn(model, owner.request, cancelAfter));
      }
    };
    await Promise.all(Array.from({ length: lanes }, talk));
  }
  return report;
}

type Turn = Awaited<ReturnType<typeof collect>>;

/** @param cancelAfter after so many parts */
async function turn(model: LoadedModel, request: GenerateRequest, cancelAfter: number | null): Promise<Turn> {
  const controller = new AbortController();
  const stream = async function* () {
    let parts = 0;
    for await (const part of model.generate(request, controller.signal)) {
      if (parts++ === cancelAfter) controller.abort();
      yield part;
    }
  };
  return collect(stream());
}

function note(report: CrossTalkReport, owner: Owner, solo: string, { text, reason, statistics }: Turn): void {
  if (statistics.restoredTokens) report.restored++;
  if (owners.some(({ name, secret }) => name !== owner.name && text.includes(secret))) report.foreign.push(text);
  if (reason === "cancelled") {
    report.cancelled++;
    if (!solo.startsWith(text)) report.different.push(text);
  } else {
    report.finished++;
    if (text !== solo) report.different.push(text);
  }
}
