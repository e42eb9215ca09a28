import { guessLegacyEncoding } from "./legacy-encoding.ts";
import { unreadable } from "./parse-failure.ts";

/** Bytes looked at to tell UTF-16 and binary data. */
const sampleBytes = 64 * 1024;

/**
 * Decodes a text file: byte-order mark, then the encoding the file itself declares, then strict UTF-8, then UTF-16 by
 * where its zero bytes stand, else the encoding of older programs that it reads best in.
 * @param declared an encoding label found in the file (HTML `<meta charset>`), if any
 * @throws ParseFailure when the bytes are not text
 */
export function decodeText(bytes: Uint8Array, declared: string | null = null): string {
  const encoding = byteOrderMark(bytes) ?? utf16ByZeros(bytes);
  if (encoding) return new TextDecoder(encoding).decode(bytes);
  if (looksBinary(bytes)) throw unreadable("it holds binary data, not text");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return legacyDecoder(declared, bytes).decode(bytes);
  }
}

function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return null;
}

/** Text in UTF-16 without a mark has a zero in nearly every other byte (for the scripts that matter in practice). */
function utf16ByZeros(bytes: Uint8Array): string | null {
  const length = Math.min(bytes.length, sampleBytes) & ~1;
  if (!bytes.subarray(0, length).includes(0)) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
  }
  const pairs = length / 2;
  if (pairs < 2) return null;
  if (odd > pairs * 0.4 && even < pairs * 0.02) return "utf-16le";
  if (even > pairs * 0.4 && odd < pairs * 0.02) return "utf-16be";
  return null;
}

function looksBinary(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, sampleBytes);
  let control = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return true;
    // Tab, line feed, vertical tab, form feed, carriage return and escape (terminal logs) occur in text.
    if (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) control++;
  }
  return control > length * 0.01;
}

function legacyDecoder(label: string | null, bytes: Uint8Array): InstanceType<typeof TextDecoder> {
  try {
    if (label) return new TextDecoder(label);
  } catch {
    // An encoding nobody knows: treat the file as if it had declared none.
  }
  return new TextDecoder(guessLegacyEncoding(bytes));
}

/**
 * Makes text fit to be stored and shown: composed characters (NFC), line feeds only, no control characters, no
 * byte-order mark. Offsets are counted in the result.
 */
export function cleanText(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\r\n?|[\u2028\u2029\v\f\u0085]/g, "\n")

    .replace(/[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]/g, "")
    .toWellFormed();
}
