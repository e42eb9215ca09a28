import { CorralError } from "@corral/protocol";
import { isRelevant, type Gains } from "./ranking-metrics.ts";

/** A question and what people judged relevant to it. */
export interface JudgedQuery {
  id: string;
  text: string;
  gains: Gains;
}

/** A text file: its name, for errors, and what is in it. */
export interface TextFile {
  name: string;
  content: string;
}

/**
 * The questions of a JSON Lines file ({"_id","text"} each, as BEIR has them) that have at least one relevant document in
 * the judgements (tab-separated: query-id, corpus-id, score, with that header), in the order of the file.
 * @throws CorralError FILE_UNREADABLE (with the line that is wrong), INVALID_INPUT (nothing in common)
 */
export function judgedQueries(queries: TextFile, judgements: TextFile): JudgedQuery[] {
  const gainsOf = parseJudgements(judgements.content, judgements.name);
  const judged = parseQueries(queries.content, queries.name).flatMap(({ id, text }) => {
    const gains = gainsOf.get(id);
    return gains && [...gains.values()].some(isRelevant) ? [{ id, text, gains }] : [];
  });
  if (judged.length > 0) return judged;
  const reason = "no question has a relevant document";
  throw new CorralError(
    "INVALID_INPUT",
    `No question of ${queries.name} has a relevant document in ${judgements.name}; do the two belong together?`,
    { field: "judgements", reason },
  );
}

/** @param file its name, for errors */
export function parseQueries(content: string, file: string): { id: string; text: string }[] {
  const seen = new Set<string>();
  return lines(content).map(({ line, number }) => {
    const { _id, text } = parseObject(line, number, file);
    if (typeof _id !== "string" || _id === "") throw wrongLine(file, number, 'there is no "_id"');
    if (typeof text !== "string" || text.trim() === "") throw wrongLine(file, number, 'there is no "text"');
    if (seen.has(_id)) throw wrongLine(file, number, `the question ${_id} is there twice`);
    seen.add(_id);
    return { id: _id, text };
  });
}

/** Gains by document, by query. @param file its name, for errors */
export function parseJudgements(content: string, file: string): Map<string, Map<string, number>> {
  const [header, ...rest] = lines(content);
  if (header && header.line.trimEnd() !== "query-id\tcorpus-id\tscore")
    throw wrongLine(file, header.number, "the columns must be query-id, corpus-id and score, parted by tabs");
  const found = new Map<string, Map<string, number>>();
  for (const { line, number } of rest) {
    const [query, document, score, ...more] = line.split("\t");
    if (!query || !document || score === undefined || more.length > 0)
      throw wrongLine(file, number, "there must be three columns parted by tabs");
    const gain = Number(score);
    if (score.trim() === "" || !Number.isFinite(gain)) throw wrongLine(file, number, `"${score}" is no number`);
    let gains = found.get(query);
    if (!gains) found.set(query, (gains = new Map()));
    gains.set(document, gain);
  }
  return found;
}

function lines(content: string): { line: string; number: number }[] {
  return content
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
}

function parseObject(line: string, number: number, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw wrongLine(file, number, "it is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrongLine(file, number, "it is no JSON object");
  return value as Record<string, unknown>;
}

function wrongLine(file: string, number: number, reason: string): CorralError {
  return new CorralError("FILE_UNREADABLE", `${file}, line ${number}: ${reason}.`, {
    file,
    reason: `line ${number}: ${reason}`,
  });
}
