import { formatOf } from "../ingestion/file-types.ts";
import type { FailureReason, ReadLimits, Recognition } from "../ingestion/worker-channel.ts";
import type { LooseBlock } from "./block.ts";
import type { Losses } from "./losses.ts";
import { parseBytes } from "./parse-bytes.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { UnpackAllowance } from "./zip-archive.ts";

/** Archives and mails inside each other are read this deep. */
const maxDepth = 3;
/**
 * A file that holds other files: an archive, or a mail with attachments. Each file in it becomes a heading with its name,
 * and below that what the file holds.
 */
export class Container {
  readonly limits: ReadLimits;
  readonly losses: Losses;
  readonly recognition: Recognition | null;
  /** Shared with what is inside. */
  readonly allowance: UnpackAllowance;
  readonly #depth: number;

  constructor(
    limits: ReadLimits,
    losses: Losses,
    recognition: Recognition | null = null,
    allowance = { bytes: limits.unpackedBytes },
    depth = 0,
  ) {
    this.limits = limits;
    this.losses = losses;
    this.recognition = recognition;
    this.allowance = allowance;
    this.#depth = depth;
  }

  /** Not itself inside another container. */
  get outermost(): boolean {
    return this.#depth === 0;
  }

  /** What a file in this container holds. What cannot be read is noted; only a limit on the whole ends the reading. */
  async *read(name: string, content: () => Promise<Buffer>): AsyncGenerator<LooseBlock, void> {
    const format = formatOf(name);
    if (!format) return this.losses.add(name, "of a type that can't be read");
    if (this.#depth >= maxDepth) return this.losses.add(name, "too many files inside each other");
    const inner = new Container(this.limits, this.losses, this.recognition, this.allowance, this.#depth + 1);
    const lostBefore = this.losses.count;
    let any = false;
    try {
      const bytes = await content();
      if (bytes.length === 0) return this.losses.add(name, "empty");
      const { blocks } = await parseBytes(bytes, format, inner);
      for await (const block of blocks) {
        if (!any) yield { kind: "heading", level: 1, text: name, startsSection: true };
        const level = block.kind === "heading" ? Math.max(1, block.level) + 1 : 0;
        yield { ...block, level, startsSection: any && block.startsSection === true };
        any = true;
      }
      if (!any && this.losses.count === lostBefore) this.losses.add(name, "no text to read");
    } catch (error) {
      if (!(error instanceof ParseFailure) || this.allowance.bytes < 0) throw error;
      this.losses.add(name, words(error.reason));
    }
  }
}

function words(reason: FailureReason): string {
  switch (reason.kind) {
    case "unreadable":
      return reason.reason;
    case "password-protected":
      return "protected by a password";
    case "without-text":
      return "no text to read";
    case "limit":
      return "holds more than Corral reads from one file";
  }
}
