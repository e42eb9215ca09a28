import type { DocumentFormat } from "@corral/protocol";
import { parseArchive } from "./archive.ts";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import type { Container } from "./container.ts";
import { parseCsv } from "./csv.ts";
import { parseEpub } from "./epub.ts";
import { declaredCharset, parseHtml } from "./html.ts";
import { parseJson } from "./json.ts";
import { parseMail } from "./mail.ts";
import { parseMarkdown } from "./markdown.ts";
import { parseMailbox } from "./mailbox.ts";
import { parseOffice } from "./office.ts";
import { parsePdf } from "./pdf.ts";
import { pictureToPdf } from "./pictures/read-picture.ts";
import { parsePlainText } from "./plain-text.ts";
import { parseSourceCode } from "./source-code.ts";
import { decodeText } from "./text-encoding.ts";
import { parseXlsx } from "./xlsx.ts";

/**
 * Reads a file that lies in memory.
 * @param container what the file may use up, and where it says what could not be read of it
 * @throws ParseFailure, also while the blocks are taken
 */
export async function parseBytes(bytes: Buffer, format: DocumentFormat, container: Container): Promise<ParsedDocument> {
  switch (format) {
    case "pdf":
      return { title: null, blocks: pdfBlocks(bytes, container) };
    case "image":
      return { title: null, blocks: pdfBlocks(await pictureToPdf(bytes, container.limits.pages), container) };
    case "docx":
    case "pptx":
    case "odt":
    case "odp":
    case "ods":
    case "rtf":
      return parseOffice(bytes, format, container.allowance);
    case "xlsx":
      return parseXlsx(bytes, container.allowance);
    case "epub":
      return parseEpub(bytes, container.allowance);
    case "html":
      return parseHtml(decodeText(bytes, declaredCharset(bytes)));
    case "markdown":
      return parseMarkdown(decodeText(bytes));
    case "text":
      return { title: null, blocks: parsePlainText(decodeText(bytes)) };
    case "csv":
      return { title: null, blocks: parseCsv(decodeText(bytes)) };
    case "json":
      return { title: null, blocks: parseJson(decodeText(bytes)) };
    case "code":
      return { title: null, blocks: parseSourceCode(decodeText(bytes)) };
    case "mail":
      return parseMail(bytes, container);
    case "mailbox":
      return parseMailbox([bytes], bytes.length, container);
    case "archive":
      return parseArchive(bytes, container);
  }
}

/** A PDF inside another file: its text, without the boxes of its pages. */
async function* pdfBlocks(bytes: Buffer, container: Container): AsyncGenerator<LooseBlock, void> {
  let unfinished = "";
  for await (const part of parsePdf(bytes, container)) {
    for (const { kind, level, text, continues } of part.blocks) {
      unfinished += text;
      if (continues) continue;
      if (unfinished.trim() !== "") yield { kind, level, text: unfinished.trim() };
      unfinished = "";
    }
  }
  if (unfinished.trim() !== "") yield { kind: "paragraph", level: 0, text: unfinished.trim() };
}
