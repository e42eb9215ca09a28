import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { CorralError } from "@corral/protocol";
import type { HostSession } from "./host-client.ts";
import type { Output } from "./output.ts";

/** Options every command takes. */
const commonOptions = {
  data: { type: "string" },
  resources: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsOptionsConfig;

type CommonOptions = typeof commonOptions;

/** What was typed after the command's name, checked. */
type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options & CommonOptions; allowPositionals: true; strict: true }>
>["values"];

/** What a command works with besides its options. */
export interface Surroundings {
  readonly output: Output;
  /** Aborted by Ctrl-C or a termination signal. */
  readonly signal: AbortSignal;
  readonly dataDirectory: string;
  readonly resourcesDirectory: string;
  /** The host that runs on the data directory, or one for this command alone. The caller disposes of it. */
  connect(): Promise<HostSession>;
}

/** A command as the dispatcher sees it. */
export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  readonly help: string;
  /** False for commands only other programs of ours start. */
  readonly listed: boolean;
  parse(argv: string[]): ParsedCommand;
}

export interface ParsedCommand {
  readonly help: boolean;
  readonly json: boolean;
  readonly data: string | undefined;
  readonly resources: string | undefined;
  /** Resolves to the exit code. */
  run(surroundings: Surroundings): Promise<number>;
}

/** The command was used wrongly; exit code 2. */
export class UsageError extends CorralError<"INVALID_INPUT"> {
  constructor(reason: string) {
    super("INVALID_INPUT", reason, { reason });
  }
}

/** Makes a command of its description. `run` resolves to the exit code, or to nothing for 0. */
export function defineCommand<const Options extends ParseArgsOptionsConfig>(description: {
  name: string;
  summary: string;
  help: string;
  listed?: boolean;
  options: Options;
  run(call: { values: Parsed<Options>; positionals: string[] } & Surroundings): Promise<number | void>;
}): Command {
  const options = { ...description.options, ...commonOptions };
  return {
    name: description.name,
    summary: description.summary,
    help: description.help,
    listed: description.listed ?? true,
    parse(argv) {
      const { values, positionals } = parseStrictly(argv, options);
      const common = values as { help?: boolean; json?: boolean; data?: string; resources?: string };
      return {
        help: common.help ?? false,
        json: common.json ?? false,
        data: common.data,
        resources: common.resources,
        run: async (surroundings) =>
          (await description.run({ ...surroundings, values: values as Parsed<Options>, positionals })) ?? 0,
      };
    },
  };
}

function parseStrictly(argv: string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (error) {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS")) {
      // Node's advice on a literal "--" after the first sentence helps nobody here.
      throw new UsageError(`${error.message.split(". ")[0]?.replace(/\.$/, "")}.`);
    }
    throw error;
  }
}

/** The one positional argument a command takes. */
export function onlyArgument(positionals: string[], what: string): string {
  const [argument, ...rest] = positionals;
  if (argument === undefined || argument.trim() === "") throw new UsageError(`Say ${what}.`);
  if (rest.length > 0) throw new UsageError(`Too many arguments. Put ${what} in quotes.`);
  return argument;
}

/** A whole number option. */
export function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not "${text}".`);
  }
  return value;
}
