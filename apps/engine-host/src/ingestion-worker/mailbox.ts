import type { LooseBlock, ParsedDocument } from "./block.ts";
import type { Container } from "./container.ts";
import { parseMail } from "./mail.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";

/** The line that separates mails: "From ", an address, a date. It stands at the start of the file or after an empty line. */
const separator = /^From \S+ .*\d{4}/;
const newline = 0x0a;

/**
 * Reads a mailbox (.mbox) mail by mail, so that its size does not matter.
 * @param bytes the size of the file, to tell the progress
 */
export function parseMailbox(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  bytes: number,
  container: Container,
): ParsedDocument {
  const done = { bytes: 0 };
  return { title: null, blocks: mailboxBlocks(pieces, done, container), progress: () => done.bytes / bytes };
}

async function* mailboxBlocks(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  done: { bytes: number },
  container: Container,
): AsyncGenerator<LooseBlock, void> {
  let count = 0;
  for await (const mail of splitMailbox(pieces, done, container.limits.fileBytes)) {
    count++;
    if (!mail) {
      container.losses.add(`mail ${count}`, "too large");
      continue;
    }
    try {
      yield* (await parseMail(mail, container)).blocks as AsyncIterable<LooseBlock>;
    } catch (error) {
      if (!(error instanceof ParseFailure) || container.allowance.bytes < 0) throw error;
      container.losses.add(`mail ${count}`, error.message);
    }
  }
  if (count === 0) throw unreadable("it is not a mailbox");
}

/** The mails of a mailbox; null for one that is larger than allowed. */
async function* splitMailbox(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  done: { bytes: number },
  mostBytes: number,
): AsyncGenerator<Buffer | null, void> {
  let lines: Buffer[] | null = null;
  let size = 0;
  let emptyBefore = true;
  const take = () => (size > mostBytes ? null : Buffer.concat(lines!));
  for await (const line of splitLines(pieces, done)) {
    if (emptyBefore && separator.test(line.subarray(0, 200).toString("latin1"))) {
      if (lines) yield take();
      lines = [];
      size = 0;
    } else if (lines) {
      size += line.length;
      // Such lines of a mail's text were marked by a ">" when it was stored.
      const quoted = /^>+From /.test(line.subarray(0, 20).toString("latin1"));
      if (size <= mostBytes) lines.push(quoted ? line.subarray(1) : line);
      else lines = [];
    }
    emptyBefore = line.length <= 2 && line.toString("latin1").trim() === "";
  }
  if (lines) yield take();
}

/** Lines with their ends. One without an end for very long is handed on in pieces. */
async function* splitLines(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  done: { bytes: number },
): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    done.bytes += piece.length;
    const text: Buffer = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    let start = 0;
    for (let end = text.indexOf(newline); end !== -1; end = text.indexOf(newline, start)) {
      yield text.subarray(start, end + 1);
      start = end + 1;
    }
    rest = text.subarray(start);
    if (rest.length > 1 << 20) {
      yield rest;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield rest;
}
