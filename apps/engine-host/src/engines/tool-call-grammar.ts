import { CorralError } from "@corral/protocol";
import type { EngineTool, ToolChoice } from "./engine.ts";
import { Grammar, group, literal } from "./gbnf.ts";
import type { Schema } from "./json-schema-node.ts";
import { SchemaGrammar } from "./json-schema-grammar.ts";
import { readJsonSchema } from "./json-schema-reader.ts";
import { builtInTool, type BuiltInTool } from "./built-in-tools.ts";

/** As many as OpenAI's API takes. */
const mostTools = 128;
/** Schemas within the parameters of all tools together. */
const mostParts = 10_000;
/** Calls in one turn. */
const mostCalls = 16;
const toolName = /^[A-Za-z0-9_.:/-]{1,128}$/;

/**
 * Refuses tools and choices that cannot be kept: a name that is no identifier or comes twice, parameters that are no
 * object or that no grammar enforces, a chosen name that is not there.
 * @param at what the field is called in errors
 * @throws CorralError INVALID_INPUT
 */
export function checkTools(tools: readonly EngineTool[], choice?: ToolChoice, at = ""): void {
  if (tools.length > mostTools) throw refusal(at, `more than ${mostTools} tools are not supported`);
  const names = new Set<string>();
  let parts = 0;
  for (const [index, tool] of tools.entries()) {
    const { name } = tool;
    if (typeof name !== "string" || !toolName.test(name))
      throw refusal(`${at}/${index}/name`, "a name has 1 to 128 letters, digits and the characters _ - . : /");
    if (names.has(name)) throw refusal(`${at}/${index}/name`, `${name} is named twice`);
    names.add(name);
    parts += parametersOf(tool, `${at}/${index}/parameters`).parts;
    if (parts > mostParts) throw refusal(`${at}/${index}/parameters`, `more than ${mostParts} parts are not supported`);
  }
  if (typeof choice === "object" && !names.has(choice.name))
    throw refusal(at, `no tool is called ${choice.name.slice(0, 128)}`);
  if (choice === "required" && tools.length === 0) throw refusal(at, "a call is required, and there are no tools");
}

function refusal(field: string, reason: string): CorralError {
  const message = `These tools cannot be offered: ${field === "" ? "" : `${field}: `}${reason}.`;
  return new CorralError("INVALID_INPUT", message, { field, reason });
}

/** The schema of a tool's arguments, which are always an object. A tool that names none takes none. */
function parametersOf({ parameters, strict = true }: EngineTool, at: string): Schema {
  const saysNothing = Object.keys(parameters).every((key) => ["type", "title", "description", "$schema"].includes(key));
  const isBare = saysNothing && (parameters.type ?? "object") === "object";
  const schema = readParameters(isBare ? { type: "object", properties: {} } : parameters, strict, at);
  const root = schema.root.kind === "reference" ? schema.targets.get(schema.root.target) : schema.root;
  if (root?.kind === "object") return schema;
  if (strict) throw refusal(at, "parameters must be the schema of an object");
  return readJsonSchema({ type: "object" }, at);
}

function readParameters(parameters: Record<string, unknown>, strict: boolean, at: string): Schema {
  try {
    return readJsonSchema(parameters, at);
  } catch (error) {
    if (strict || !(error instanceof CorralError) || !isWithin(parameters, deepestLooseSchema)) throw error;
    return readJsonSchema({ type: "object" }, at);
  }
}

/** Levels of a schema nobody has to keep to; it is still told to the model, and deeper ones are no description any more. */
const deepestLooseSchema = 64;

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

/** How calls are to be written. */
export interface CallRules {
  tools: readonly EngineTool[];
  isParallel: boolean;
  /**
   * The token that begins a call of a tool the model was trained with; null: the model has none, and such tools are called
   * like all others.
   */
  pythonTag: number | null;
}

/**
 * The beginning of a call in Llama's JSON form, `{"name": "…", "parameters": …}`, that was written already. As some
 * models do, `"type": "function"` may come first.
 */
export interface CallStart {
  /** In a list of calls. */
  isList: boolean;
  /** What must follow before the name: texts, and null for white space. */
  head: (string | null)[];
  /** The name as far as it is written, with its quotation mark. */
  name: string;
}

const plainHead = ["{", null, '"name"', null, ":", null];
const typedHead = ["{", null, '"type"', null, ":", null, '"function"', null, ",", null, '"name"', null, ":", null];

/**
 * Reads text that may begin a call.
 * @returns "no": it does not; "maybe": it could yet; else a call has begun and a grammar must take over
 */
export function readCallStart(text: string): "no" | "maybe" | CallStart {
  const isList = text.startsWith("[");
  const object = isList ? text.slice(1).trimStart() : text;
  const plain = follow(plainHead, object);
  if (plain && (plain.head.length <= 3 || plain.rest !== "")) return startOf(isList, plain);
  const typed = follow(typedHead, object);
  // Once it says that it is a function.
  if (typed && (typed.head.length <= 7 || typed.rest !== "")) return startOf(isList, typed);
  return plain || typed ? "maybe" : "no";
}

function startOf(isList: boolean, { head, rest }: { head: (string | null)[]; rest: string }): "no" | CallStart {
  if (rest !== "" && !rest.startsWith('"')) return "no";
  return { isList, head, name: rest };
}

/** Takes from the head what the text has; null: the text is another. */
function follow(head: readonly (string | null)[], text: string): { head: (string | null)[]; rest: string } | null {
  let rest = text;
  for (const [index, item] of head.entries()) {
    if (item === null) {
      const trimmed = rest.trimStart();
      // White space that may go on.
      if (trimmed === "") return { head: head.slice(index), rest: "" };
      rest = trimmed;
    } else if (rest.startsWith(item)) rest = rest.slice(item.length);
    else if (item.startsWith(rest)) return { head: [item.slice(rest.length), ...head.slice(index + 1)], rest: "" };
    else return null;
  }
  return { head: [], rest };
}

/**
 * Whether text is the beginning of a call of one of these tools and of nothing else: with its name and the word that
 * stands before the arguments.
 */
export function readWholeCallStart(text: string, tools: readonly EngineTool[]): "no" | "maybe" | "yes" {
  const trimmed = text.trimStart();
  const object = trimmed.startsWith("[") ? trimmed.slice(1).trimStart() : trimmed;
  let verdict: "no" | "maybe" = "no";
  for (const { name } of tools) {
    const read = follow([...plainHead, `"${name}"`, null, ",", null, '"parameters"'], object);
    if (read?.head.length === 0) return "yes";
    if (read) verdict = "maybe";
  }
  return verdict;
}

/**
 * The grammar of what a model may write from here on, when it must call.
 * @param start what it has written of a call in JSON; absent: nothing
 * @returns null when what was written is no beginning of a call that is allowed
 */
export function callGrammar(rules: CallRules, start?: CallStart): string | null {
  const grammar = new Grammar();
  const writer = new CallWriter(grammar, rules);
  if (start) return writer.rest(start);
  const { builtIns, others } = sorted(rules);
  const roots: string[] = [];
  if (builtIns.length > 0) roots.push(`<[${rules.pythonTag}]> ${writer.builtIns(builtIns)}`);
  if (others.length > 0) roots.push(writer.json(others));
  return grammar.text(roots.join(" | "));
}

/** The grammar of what may follow the token that begins a built-in call. Llama writes its JSON form behind it, too. */
export function tagGrammar(rules: CallRules): string {
  const grammar = new Grammar();
  const writer = new CallWriter(grammar, rules);
  const { builtIns, others } = sorted(rules);
  const roots: string[] = [];
  if (builtIns.length > 0) roots.push(writer.builtIns(builtIns));
  if (others.length > 0) roots.push(writer.json(others));
  return grammar.text(roots.join(" | "));
}

/** What the reply may be when it must be either a call or JSON of a schema. */
export function callOrJsonGrammar(rules: CallRules, schema: Record<string, unknown>): string {
  const grammar = new Grammar();
  const json = new SchemaGrammar(grammar, readJsonSchema(schema)).root();
  const writer = new CallWriter(grammar, rules);
  return grammar.text(`${json} | ${writer.json(rules.tools)}`);
}

function sorted({ tools, pythonTag }: CallRules): { builtIns: BuiltInTool[]; others: EngineTool[] } {
  const builtIns: BuiltInTool[] = [];
  const others: EngineTool[] = [];
  for (const tool of tools) {
    const builtIn = pythonTag === null ? null : builtInTool(tool);
    if (builtIn) builtIns.push(builtIn);
    else others.push(tool);
  }
  return { builtIns, others };
}

class CallWriter {
  readonly #grammar: Grammar;
  readonly #rules: CallRules;
  readonly #space: string;

  constructor(grammar: Grammar, rules: CallRules) {
    this.#grammar = grammar;
    this.#rules = rules;
    this.#space = grammar.rule("space", '(" " | "\\n" [ \\t]{0,20})?');
  }

  /** One call in JSON, or a list of several. */
  json(tools: readonly EngineTool[]): string {
    const call = this.#call(tools);
    return this.#rules.isParallel ? group([call, `"[" ${this.#space} ${call} ${this.#furtherCalls(call)}`]) : call;
  }

  rest({ isList, head, name }: CallStart): string | null {
    if (isList && !this.#rules.isParallel) return null;
    const names = this.#rules.tools.filter((tool) => `"${tool.name}"`.startsWith(name));
    if (names.length === 0) return null;
    const parts = head.map((item) => (item === null ? this.#space : literal(item)));
    const named = names.map((tool) => this.#named(tool, name.length));
    const end = isList ? ` ${this.#furtherCalls(this.#call(this.#rules.tools))}` : "";
    return this.#grammar.text(`${parts.join(" ")} ${group(named)} ${this.#space} "}"${end}`);
  }

  builtIns(tools: readonly BuiltInTool[]): string {
    const quoted = this.#grammar.rule("quoted", '"\\"" ([^"\\\\\\x00-\\x1F] | "\\\\" ["\\\\n]){1,500} "\\""');
    // The code interpreter has no name to be called by: any text is code.
    const code = this.#grammar.rule("code", "[^\\x00]+");
    return group(
      tools.map(({ name, argument }) =>
        name === "code_interpreter" ? code : `${literal(`${name}.call(${argument}=`)} ${quoted} ")"`,
      ),
    );
  }

  #call(tools: readonly EngineTool[]): string {
    const ws = this.#space;
    const named = group(tools.map((tool) => this.#named(tool, 0)));
    return this.#grammar.rule("call", `"{" ${ws} "\\"name\\"" ${ws} ":" ${ws} ${named} ${ws} "}"`);
  }

  /** Name and arguments; of the quoted name so many characters are there already. */
  #named(tool: EngineTool, written: number): string {
    const ws = this.#space;
    const schema = new SchemaGrammar(this.#grammar, parametersOf(tool, ""));
    const head = literal(`"${tool.name}"`.slice(written));
    return this.#grammar.rule("named", `${head} ${ws} "," ${ws} "\\"parameters\\"" ${ws} ":" ${ws} ${schema.root()}`);
  }

  #furtherCalls(call: string): string {
    const further = this.#grammar.rule("further-call", `${this.#space} "," ${this.#space} ${call}`);
    return `${this.#grammar.repeat(further, 0, mostCalls - 1)} ${this.#space} "]"`;
  }
}
