import type { DocumentFormat } from "@corral/protocol";

/**
 * What a person typed into a search field, taken apart. Whatever does not fit the syntax is looked for as words:
 *
 *     winter gate            passages about these words
 *     "winter gate"          only passages with exactly these words one after the other
 *     -draft -"old version"  only passages without them (a number is left out only in quotes: -"2024")
 *     file:report            only documents whose file name contains this; file:"annual report" with blanks
 *     collection:manuals     the same with the collection's name
 *     type:pdf               only documents of this format, or whose file name ends so
 *     date:2026-03           only documents added then: a year, month or day, date:2026-01..2026-03, date:>2026-01-15,
 *                            date:>=2026, date:<2026-02, date:..2026-03
 *
 * A field with a "-" in front leaves out what it names. Of one field, any of several values will do; all fields must hold.
 */
export interface SearchQuery {
  /** The words to rank by, those of the phrases included. */
  plain: string;
  phrases: string[];
  excluded: string[];
  fields: FieldFilter[];
}

export type FieldFilter = { isExcluded: boolean } & (
  | { field: "file" | "collection"; value: string }
  | { field: "type"; value: string }
  /** Days as YYYY-MM-DD: from the first on, before the second; null: no bound. */
  | { field: "date"; from: string | null; before: string | null }
);

/** What a query is that has no syntax: words. */
export function plainQuery(text: string): SearchQuery {
  return { plain: text, phrases: [], excluded: [], fields: [] };
}

/** Which quotes close which; the German way, „like this“, closes with what opens others. */
const closingQuotes: Readonly<Record<string, string>> = {
  '"': '"',
  "“": "”“",
  "„": "“”",
  "«": "»",
  "»": "«",
  "「": "」",
  "『": "』",
};

interface Token {
  /** As it was typed. */
  raw: string;
  isExcluded: boolean;
  field: string | null;
  value: string;
  isQuoted: boolean;
}

/** Takes a query apart. Never throws: what is malformed counts as words. */
export function parseQuery(text: string): SearchQuery {
  const query = plainQuery("");
  const plain: string[] = [];
  const left: string[] = [];
  for (const token of tokens(text)) {
    const filter = token.field === null ? null : fieldFilter(token);
    if (filter) query.fields.push(filter);
    else if (token.field !== null) plain.push(token.raw);
    else if (token.isExcluded) {
      query.excluded.push(token.value);
      left.push(token.raw);
    } else {
      plain.push(token.value);
      if (token.isQuoted) query.phrases.push(token.value);
    }
  }
  // Nothing to look for, only something to leave out: then that is what is meant.
  if (plain.length === 0 && query.fields.length === 0) return plainQuery(left.join(" "));
  return { ...query, plain: plain.join(" ") };
}

const field = /^(-?)(file|collection|type|date):(?=\S)/i;

function* tokens(text: string): Generator<Token> {
  for (let at = 0; at < text.length;) {
    if (/\s/u.test(text[at]!)) {
      at++;
      continue;
    }
    const start = at;
    const named = field.exec(text.slice(at, at + 16));
    const isExcluded = named ? named[1] === "-" : isMinus(text, at);
    at += named ? named[0].length : isExcluded ? 1 : 0;
    const quoted = quotedAt(text, at);
    if (quoted) at = quoted.end;
    else while (at < text.length && !/\s/u.test(text[at]!)) at++;
    const raw = text.slice(start, at);
    const value = quoted ? quoted.value : text.slice(start + (named ? named[0].length : isExcluded ? 1 : 0), at);
    if (value.trim() === "") continue;
    yield { raw, isExcluded, field: named ? named[2]!.toLowerCase() : null, value, isQuoted: quoted !== null };
  }
}

/** A minus leaves out the word or phrase that follows it at once; before a number it is a sign. */
function isMinus(text: string, at: number): boolean {
  return text[at] === "-" && (/^\p{L}/u.test(text.slice(at + 1, at + 3)) || quotedAt(text, at + 1) !== null);
}

/** A phrase whose quotes stand at word boundaries; null: there is none, or it is not closed. */
function quotedAt(text: string, at: number): { value: string; end: number } | null {
  const closing = closingQuotes[text[at] ?? ""];
  if (closing === undefined) return null;
  for (let end = at + 1; end < text.length; end++)
    if (closing.includes(text[end]!)) return { value: text.slice(at + 1, end), end: end + 1 };
  return null;
}

/** Null: the value makes no sense for the field. */
function fieldFilter({ field, value, isExcluded }: Token): FieldFilter | null {
  switch (field) {
    case "file":
    case "collection":
      return { field, value, isExcluded };
    case "type": {
      const type = value.toLowerCase().replace(/^\./, "");
      return isType(type) ? { field, value: type, isExcluded } : null;
    }
    default: {
      const range = dateRange(value);
      return range && { field: "date", ...range, isExcluded };
    }
  }
}

/** Formats with the endings of files that people name them by. */
const typeNames: Record<DocumentFormat, string> = {
  pdf: "",
  docx: "word",
  pptx: "powerpoint",
  xlsx: "excel",
  odt: "",
  odp: "",
  ods: "",
  rtf: "",
  epub: "",
  html: "htm xhtml",
  markdown: "md",
  text: "txt log",
  csv: "tsv",
  json: "jsonl ndjson",
  mail: "eml",
  mailbox: "mbox",
  code: "js ts tsx jsx py java c h cc cpp hpp cs go rs rb php swift kt scala sh sql css yaml yml toml xml",
  archive: "zip",
  image: "png jpg jpeg tif tiff webp bmp gif",
};
const types = new Set(Object.entries(typeNames).flatMap(([format, names]) => [format, ...names.split(" ")]));
types.delete("");

function isType(value: string): boolean {
  return types.has(value);
}

/** Whether a document is of a type: its format, the program it is known by, or the ending of its name. */
export function isOfType(type: string, format: DocumentFormat, name: string): boolean {
  if (type === format || name.toLowerCase().endsWith(`.${type}`)) return true;
  return ["word", "powerpoint", "excel"].includes(type) && typeNames[format] === type;
}

function dateRange(value: string): { from: string | null; before: string | null } | null {
  const compared = /^([<>]=?)(.+)$/.exec(value);
  if (compared) {
    const span = dateSpan(compared[2]!);
    if (!span) return null;
    switch (compared[1]) {
      case ">":
        return { from: span.before, before: null };
      case ">=":
        return { from: span.from, before: null };
      case "<":
        return { from: null, before: span.from };
      default:
        return { from: null, before: span.before };
    }
  }
  const [first, second, ...more] = value.split("..");
  if (second === undefined) return dateSpan(value);
  const from = first === "" ? null : dateSpan(first!);
  const to = second === "" ? null : dateSpan(second);
  const isWrong = more.length > 0 || (first !== "" && !from) || (second !== "" && !to) || (!from && !to);
  return isWrong ? null : { from: from?.from ?? null, before: to?.before ?? null };
}

/** The days of a year, a month or a day. */
function dateSpan(text: string): { from: string; before: string } | null {
  const parts = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(text);
  if (!parts) return null;
  const [year, month, day] = [parts[1], parts[2], parts[3]].map((part) => (part === undefined ? null : Number(part)));
  const first = Date.UTC(year!, (month ?? 1) - 1, day ?? 1);
  const after =
    month === null
      ? Date.UTC(year! + 1, 0, 1)
      : day === null
        ? Date.UTC(year!, month, 1)
        : Date.UTC(year!, month! - 1, day! + 1);
  const from = dayOf(first);
  // The thirtieth of February is none.
  if (!from.startsWith(`${parts[1]}-${String(month ?? 1).padStart(2, "0")}-${String(day ?? 1).padStart(2, "0")}`))
    return null;
  return { from, before: dayOf(after) };
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
