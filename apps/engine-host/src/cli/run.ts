import { resolve } from "node:path";
import { CorralError } from "@corral/protocol";
import { appVersion, defaultResourcesDirectory } from "../config.ts";
import { defaultDataDirectory } from "../data-directory.ts";
import { api } from "./api.ts";
import { ask } from "./ask.ts";
import { bench } from "./bench.ts";
import { type Command, UsageError } from "./command.ts";
import { demo } from "./demo.ts";
import { docs } from "./docs.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./eval.ts";
import { hardware } from "./hardware.ts";
import { openSession } from "./host-client.ts";
import { host } from "./host.ts";
import { models } from "./models.ts";
import { Output } from "./output.ts";
import { plan } from "./plan.ts";
import { search } from "./search.ts";
import { serve } from "./serve.ts";
import { tools } from "./tools.ts";

const commands: Command[] = [
  serve,
  api,
  docs,
  ask,
  search,
  models,
  tools,
  plan,
  hardware,
  evaluate,
  bench,
  doctor,
  demo,
  host,
];

/** Runs the command line. Resolves to the exit code: 0, 1 for a failure, 2 for wrong use, 130 after Ctrl-C. */
export async function run(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  let output = new Output(argv.includes("--json"));
  const interrupted = new AbortController();
  let exitCode = 130;
  const stop = (signal: NodeJS.Signals) => {
    // Whoever presses Ctrl-C a second time does not want to wait.
    if (interrupted.signal.aborted) process.exit(exitCode);
    exitCode = signal === "SIGINT" ? 130 : 143;
    interrupted.abort(new CorralError("CANCELLED", "Cancelled.", {}));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  try {
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      process.stdout.write(`${overview()}\n`);
      return name === undefined ? 2 : 0;
    }
    if (name === "--version" || name === "-v") {
      process.stdout.write(`${appVersion}\n`);
      return 0;
    }
    const command = commands.find((candidate) => candidate.name === name);
    if (!command) throw new UsageError(`There is no command "${name}". Run "corral --help" for the list.`);
    const parsed = command.parse(rest);
    output = new Output(parsed.json);
    if (parsed.help) {
      process.stdout.write(`${command.help.trim()}\n${commonHelp}\n`);
      return 0;
    }
    const dataDirectory = parsed.data === undefined ? defaultDataDirectory() : resolve(parsed.data);
    if (parsed.data === "") throw new UsageError("--data takes a folder.");
    const resourcesDirectory = parsed.resources ? resolve(parsed.resources) : defaultResourcesDirectory;
    const signal = interrupted.signal;
    return await parsed.run({
      output,
      signal,
      dataDirectory,
      resourcesDirectory,
      connect: () =>
        openSession({
          dataDirectory,
          resourcesDirectory,
          signal,
          onWaiting: (owner) => output.note(`Waiting for another corral command (process ${owner.pid}) to finish …`),
        }),
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      output.failure({ code: "CANCELLED", message: "Cancelled.", data: {} });
      return exitCode;
    }
    output.failure(CorralError.reportOf(error));
    if (!(error instanceof CorralError) && process.env["CORRAL_DEBUG"]) console.error(error);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    process.off("SIGHUP", stop);
  }
}

function overview(): string {
  const listed = commands.filter((command) => command.listed);
  const width = Math.max(...listed.map((command) => command.name.length));
  return [
    "Corral answers questions from your own documents, with an open model on your own machine.",
    "",
    "Usage: corral COMMAND [OPTIONS]",
    "",
    ...listed.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    'Run "corral COMMAND --help" for one of them. A command talks to the Corral that already runs on the data directory,',
    "else it does the work itself.",
  ].join("\n");
}

const commonHelp = `
Everywhere:
  --data DIR       the data directory (else CORRAL_DATA_DIR, else the usual place of this system)
  --resources DIR  what ships with Corral (the reader model and the samples), if not in its usual place
  --json           print one JSON value on stdout; progress stays on stderr
  --help           show this
Exit codes: 0 done, 1 failed, 2 wrong use, 130 cancelled.`;
