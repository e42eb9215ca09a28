import { z } from "zod";
import { ApiError, invalid } from "./api-error.ts";

/**
 * Bytes of a request for a reply. 131,072 tokens are about 0.6 MB of English and 2 MB of Hindi in escaped JSON; a larger body
 * is no prompt for any model here, and reading it would hold up everybody else.
 */
const promptLimitBytes = 4 * 1024 * 1024;
/** Bytes of a request with many texts: 2,048 passages of 512 tokens are about 5 MB of English. */
export const textsLimitBytes = 8 * 1024 * 1024;

/** How long a body may take to arrive, ms. */
const bodyTimeoutMs = 60_000;

/**
 * Reads and parses a JSON body, counting while it arrives.
 * @throws ApiError
 */
export async function readJson(request: Request, limitBytes = promptLimitBytes): Promise<unknown> {
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw invalid(null, `The body must be JSON with Content-Type: application/json, not ${type || "without a type"}.`);
  }
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw invalid(null, `The body must not be compressed (Content-Encoding: ${encoding}).`);
  }
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const text = await readText(request, limitBytes);
  if (text.trim() === "") throw invalid(null, "The body is empty; it must be a JSON object.");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Without the excerpt some engines add: it could be a secret.
    const place = /at position \d+/.exec(error instanceof Error ? error.message : "")?.[0];
    throw invalid(null, `The body is not valid JSON${place ? ` (${place})` : ""}.`);
  }
}

async function readText(request: Request, limitBytes: number): Promise<string> {
  if (request.body === null) return "";
  const reader = request.body.getReader();
  const late = setTimeout(() => void reader.cancel(), bodyTimeoutMs);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const started = performance.now();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      if (bytes > limitBytes) {
        await reader.cancel();
        throw tooLarge(limitBytes);
      }
      pieces.push(value);
    }
  } finally {
    clearTimeout(late);
  }
  if (performance.now() - started >= bodyTimeoutMs) {
    throw new ApiError("invalid", "The body took too long to arrive.", { status: 408, code: "request_timeout" });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
  } catch {
    throw invalid(null, "The body is not valid UTF-8.");
  }
}

function tooLarge(limitBytes: number): ApiError {
  return new ApiError("too-large", `The request is larger than ${limitBytes / 2 ** 20} MiB.`, {
    code: "request_too_large",
  });
}

/**
 * Checks a body against its schema.
 * @param refused fields that mean something Corral does not do: anything but null, an empty list or one of the values given
 *   is refused by name, with the sentence given
 * @throws ApiError naming the first field that is wrong
 */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  refused: Record<string, RefusedField> = {},
): z.infer<Schema> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid(null, "The body must be a JSON object.");
  }
  for (const [field, { because, unless = [] }] of Object.entries(refused)) {
    const value = (body as Record<string, unknown>)[field];
    if (value === undefined || value === null || unless.some((allowed) => allowed === value)) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    throw invalid(field, `${field} is not supported: ${because}`, "unsupported_parameter");
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue === undefined ? null : pathOf(issue.path);
  throw invalid(param, `${param === null ? "" : `${param}: `}${issue?.message ?? "The request is wrong."}`);
}

/** A field that is refused unless it has one of these values. */
export interface RefusedField {
  /** A clause that ends the sentence "FIELD is not supported: …". */
  because: string;
  unless?: unknown[];
}

/** ["messages", 2, "content"] → "messages[2].content". */
function pathOf(path: readonly PropertyKey[]): string | null {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text === "" ? "" : "."}${String(step)}`;
  return text === "" ? null : text.slice(0, 200);
}

/** A list whose length is checked before its entries are looked at. */
export function boundedList<Item extends z.ZodType>(item: Item, most: number, least = 0) {
  return z.array(z.unknown()).min(least).max(most).pipe(z.array(item));
}
