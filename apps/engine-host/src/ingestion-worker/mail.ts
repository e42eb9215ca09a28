import PostalMime, { type Address, type Attachment, type Email } from "postal-mime";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import type { Container } from "./container.ts";
import { parseHtml } from "./html.ts";
import { unreadable } from "./parse-failure.ts";
import { parsePlainText } from "./plain-text.ts";
import { cleanText } from "./text-encoding.ts";

/** Deeper than any mail program nests; each level is parsed again. */
const limits = { maxNestingDepth: 50, maxRfc822NestingDepth: 2 };

/** Reads a mail (.eml): subject, who wrote to whom and when, its text, and the files attached to it. */
export async function parseMail(bytes: Buffer, container: Container): Promise<ParsedDocument> {
  // Only to tell a mail from something else: a header line within the first kilobyte.
  if (!/^[\w-]{1,60}:/m.test(bytes.subarray(0, 1024).toString("latin1"))) throw unreadable("it is not a mail");
  const mail = await PostalMime.parse(bytes, limits).catch((error: unknown) => {
    throw unreadable("it is damaged or nests too deep", error);
  });
  return { title: subjectOf(mail), blocks: mailBlocks(mail, container) };
}

async function* mailBlocks(mail: Email, container: Container): AsyncGenerator<LooseBlock, void> {
  yield { kind: "heading", level: 1, text: subjectOf(mail) ?? "Mail without a subject", startsSection: true };
  const lines = [
    ["From", people(mail.from ? [mail.from] : [])],
    ["To", people(mail.to ?? [])],
    ["Cc", people(mail.cc ?? [])],
    ["Date", mail.date ?? ""],
  ].filter(([, value]) => value !== "");
  if (lines.length > 0) {
    yield { kind: "paragraph", level: 0, text: lines.map(([name, value]) => `${name}: ${value}`).join("\n") };
  }
  const body = mail.text?.trim() ? textOf(mail.text) : parseHtml(mail.html ?? "").blocks;
  for (const block of body) yield block.kind === "heading" ? { ...block, level: block.level + 1 } : block;
  for (const attachment of mail.attachments) {
    // A picture that the text shows is part of its looks.
    if (attachment.related && attachment.mimeType.startsWith("image/")) continue;
    for await (const block of container.read(nameOf(attachment), async () => contentOf(attachment))) {
      const level = block.kind === "heading" ? block.level + 1 : 0;
      yield { ...block, level };
    }
  }
}

/** The text of a mail begins with a greeting, not with a title. */
function textOf(text: string): LooseBlock[] {
  return parsePlainText(text).map((block) => ({ ...block, kind: "paragraph" }));
}

function subjectOf(mail: Email): string | null {
  return (
    cleanText(mail.subject ?? "")
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, 500) || null
  );
}

function people(addresses: Address[]): string {
  const one = ({ name, address, group }: Address): string =>
    group ? group.map(one).join(", ") : name && name !== address ? `${name} <${address}>` : (address ?? "");
  return cleanText(addresses.map(one).join(", ")).replace(/\s+/g, " ").trim().slice(0, 2000);
}

const endings: Readonly<Record<string, string>> = {
  "text/calendar": ".txt",
  "text/csv": ".csv",
  "text/html": ".html",
  "text/plain": ".txt",
  "message/rfc822": ".eml",
};

function nameOf({ filename, mimeType }: Attachment): string {
  const name = cleanText(filename ?? "")
    .replace(/\s+/g, " ")
    .trim();
  return name || `attachment${endings[mimeType] ?? ""}`;
}

function contentOf({ content }: Attachment): Buffer {
  return typeof content === "string" ? Buffer.from(content) : Buffer.from(content as ArrayBuffer);
}
