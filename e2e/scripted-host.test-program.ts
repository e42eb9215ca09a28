/**
 * A real host whose engine is the scripted fake: `scripted-host.test-program.ts DATA MODEL.gguf`. Prints the address a browser opens.
 * The model does what the question says: "send X" calls the mail tool with X, "count X" the calculator, "talk" says much;
 * after a result it tells it.
 */
import { join, resolve } from "node:path";
import { createFakeEngine } from "../apps/engine-host/src/engines/fake-engine.ts";
import type { GenerateRequest } from "../apps/engine-host/src/engines/engine.ts";
import { startHost } from "../apps/engine-host/src/main.ts";

const repository = resolve(import.meta.dirname, "..");
const [data, model] = process.argv.slice(2);
if (data === undefined || model === undefined) throw new Error("usage: scripted-host.test-program.ts DATA MODEL.gguf");

const lastOf = ({ messages }: GenerateRequest) => messages.at(-1)!;
/** The question without its passages. */
const questionOf = (request: GenerateRequest) => lastOf(request).text.replace(/^[\s\S]*Question: /u, "");

const engine = createFakeEngine({
  wordMs: 1,
  reply: (request) => {
    const { messages } = request;
    if (messages[0]!.text.startsWith("You keep the notes")) return "They talked at length.";
    if (lastOf(request).role === "tool") return `The tool says: ${lastOf(request).text}`;
    if (/^(send|count)/u.test(questionOf(request))) return "One moment.";
    return `You said so. ${"Words follow words. ".repeat(60)}`;
  },
  calls: (request) => {
    if (lastOf(request).role === "tool" || request.tools === undefined || request.toolChoice === "none") return [];
    const [, verb, rest] = /^(send|count) (.*)/u.exec(questionOf(request)) ?? [];
    if (verb === "send") return [{ id: "1", name: "mail__write_note", arguments: JSON.stringify({ text: rest }) }];
    if (verb === "count") return [{ id: "1", name: "calculator", arguments: JSON.stringify({ expression: rest }) }];
    return [];
  },
});

const host = await startHost({
  dataDirectory: data,
  resourcesDirectory: join(repository, "resources"),
  shell: "headless",
  stderrLevel: "error",
  engine,
});
await host.client.models.add({ path: model });
const server = await host.listen({ port: 0, ui: join(repository, "packages/ui/dist") });
process.once("SIGTERM", () => void host[Symbol.asyncDispose]().then(() => process.exit(0)));
process.stdout.write(`${server.address}/#key=${host.key}\n`);
