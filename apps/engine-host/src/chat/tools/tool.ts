import type { SearchHit, Sources } from "@corral/protocol";
import type { EngineTool } from "../../engines/engine.ts";
import type { Retrieval } from "../../retrieval/retrieval.ts";

/** A function the model may call. */
export interface Tool {
  /** As the model is told. Of an MCP server's tool the words are the server's: never trusted. */
  readonly definition: EngineTool;
  /** The MCP server it belongs to; null: one of Corral's own, which read only what the user gave. */
  readonly server: string | null;
  /** It only reads, and nothing that it is told leaves this machine; of an MCP server's tool: so the server says. */
  readonly harmless: boolean;
  /** Its result is text from elsewhere, which whoever wrote it may have meant for the model. */
  readonly bringsText: boolean;
  /** Changes when the tool is another: see `AllowedTool`. */
  readonly fingerprint: string;
  /**
   * @param args the arguments object as the model wrote it; not checked yet
   * @throws anything: the message of a CorralError or ToolFailure is told to the model
   */
  run(args: Record<string, unknown>, context: ToolContext): Promise<ToolOutput>;
}

/** What a call may use besides its arguments. */
export interface ToolContext {
  readonly sources: Sources;
  readonly retrieval: Retrieval;
  /** Takes passages into the reply's numbered ones; answers the number of each. */
  number(passages: SearchHit[]): number[];
  readonly now: Date;
  readonly signal: AbortSignal;
}

export interface ToolOutput {
  text: string;
  /** The tool ran and says that it could not do it. */
  failed: boolean;
}

/** Why a tool could not do what it was asked, in words for the model. */
export class ToolFailure extends Error {}
