import { randomBytes } from "node:crypto";
import type { EngineToolCall } from "../engines/engine.ts";

/** Reads the calls of a reply as they are written; nothing of their text is for anybody to see. */
export interface CallReader {
  /** Adds text; answers the calls that are complete with it. */
  push(text: string): EngineToolCall[];
  /** Nothing more can follow. */
  readonly isComplete: boolean;
  /** The model ended its turn; answers a call only that could end. */
  end(): EngineToolCall[];
}

/** Ids as OpenAI's look; clients send them back with the result. */
function newCall(name: string, parameters: unknown): EngineToolCall {
  return { id: `call_${randomBytes(12).toString("hex")}`, name, arguments: JSON.stringify(parameters) };
}

/** Calls in JSON: `{"name": …, "parameters": …}`, or a list of them. */
export class JsonCallReader implements CallReader {
  #text = "";
  /** Read so far. */
  #at = 0;
  #depth = 0;
  #isInText = false;
  #callStart = 0;
  #isList = false;
  isComplete = false;

  push(text: string): EngineToolCall[] {
    this.#text += text;
    const calls: EngineToolCall[] = [];
    for (; this.#at < this.#text.length && !this.isComplete; this.#at++) this.#step(this.#text[this.#at] ?? "", calls);
    return calls;
  }

  end(): EngineToolCall[] {
    return [];
  }

  #step(character: string, calls: EngineToolCall[]): void {
    if (this.#isInText) {
      if (character === "\\") this.#at++;
      else if (character === '"') this.#isInText = false;
      return;
    }
    if (character === '"') this.#isInText = true;
    else if (character === "{" || character === "[") {
      if (this.#depth === 0) this.#isList = character === "[";
      if (this.#depth === this.#callDepth && character === "{") this.#callStart = this.#at;
      this.#depth++;
    } else if (character === "}" || character === "]") {
      this.#depth--;
      if (this.#depth === this.#callDepth && character === "}") {
        const call = JSON.parse(this.#text.slice(this.#callStart, this.#at + 1)) as {
          name: string;
          parameters: unknown;
        };
        calls.push(newCall(call.name, call.parameters));
      }
      this.isComplete = this.#depth === 0;
    }
  }

  get #callDepth(): number {
    return this.#isList ? 1 : 0;
  }
}

/** What a built-in call looks like, and a prefix of it that is long enough to tell it from code. */
const builtInCall = /^\s*(\w+)\.call\(\w+="((?:[^"\\]|\\.)*)"\)/;

/**
 * What follows `<|python_tag|>`: the call of a built-in tool, calls in JSON, or code. Code has no end of its own, so where
 * code may stand everything is read to the end of the turn.
 */
export class TaggedCallReader implements CallReader {
  readonly #argumentNames: ReadonlyMap<string, string>;
  readonly #others: ReadonlySet<string>;
  readonly #mayBeCode: boolean;
  #text = "";
  #json: JsonCallReader | null = null;
  #isComplete = false;

  /**
   * @param argumentNames what the argument of each built-in tool is called
   * @param others names of the tools that are called in JSON
   */
  constructor(argumentNames: ReadonlyMap<string, string>, others: readonly string[]) {
    this.#argumentNames = argumentNames;
    this.#others = new Set(others);
    this.#mayBeCode = argumentNames.has("code_interpreter");
  }

  get isComplete(): boolean {
    return this.#isComplete || this.#json?.isComplete === true;
  }

  push(text: string): EngineToolCall[] {
    this.#text += text;
    if (this.#mayBeCode) return [];
    if (this.#json) return this.#json.push(text);
    if (/^\s*[[{]/.test(this.#text)) {
      this.#json = new JsonCallReader();
      return this.#json.push(this.#text);
    }
    const call = this.#builtIn();
    this.#isComplete = call !== null;
    return call === null ? [] : [call];
  }

  end(): EngineToolCall[] {
    if (!this.#mayBeCode || this.#text.trim() === "") return [];
    const call = this.#builtIn();
    if (call !== null) return [call];
    return this.#jsonCalls() ?? [newCall("code_interpreter", { code: this.#text })];
  }

  #builtIn(): EngineToolCall | null {
    const [, name = "", value = ""] = builtInCall.exec(this.#text) ?? [];
    const argument = this.#argumentNames.get(name);
    if (argument === undefined || name === "code_interpreter") return null;
    const text = value.replace(/\\(.)/gs, (_, character: string) => (character === "n" ? "\n" : character));
    return newCall(name, { [argument]: text });
  }

  /** No grammar holds where code may stand: only what is a call in every way is one. */
  #jsonCalls(): EngineToolCall[] | null {
    try {
      const read: unknown = JSON.parse(this.#text);
      const calls = (Array.isArray(read) ? read : [read]) as { name?: unknown; parameters?: unknown }[];
      const isCall = ({ name, parameters }: (typeof calls)[number]) =>
        typeof name === "string" && this.#others.has(name) && typeof parameters === "object" && parameters !== null;
      return calls.length > 0 && calls.every(isCall)
        ? calls.map(({ name, parameters }) => newCall(String(name), parameters))
        : null;
    } catch {
      return null;
    }
  }
}
