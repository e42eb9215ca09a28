/** How values stand in what tools print. Everything here is untrusted text: what makes no sense is null, never a guess. */

/** No device has more memory than this: 1 PiB, bytes. */
const memoryLimit = 2 ** 50;
const textLimit = 200;

/** A number as tools print it; null for "[N/A]", "[Not Supported]", "N/A", "[Unknown Error]" and the like. */
export function numberOf(text: unknown): number | null {
  if (typeof text === "number") return Number.isFinite(text) ? text : null;
  if (typeof text !== "string") return null;
  const match = /^\s*(-?\d{1,18}(?:\.\d{1,9})?)(?:\s*(?:%|[A-Za-z/]{1,5}))?\s*$/.exec(text);
  return match ? Number(match[1]) : null;
}

/** A number from `least` to `most`, else null. */
export function numberWithin(value: unknown, least: number, most: number): number | null {
  const number = numberOf(value);
  return number !== null && number >= least && number <= most ? number : null;
}

/** Bytes; null for what is no possible size of a memory. @param unit bytes of one unit */
export function bytesOf(value: unknown, unit = 1): number | null {
  const number = numberOf(value);
  return number === null || number < 0 || number * unit > memoryLimit ? null : Math.round(number * unit);
}

/** A whole number, 0 or more. */
export function countOf(value: unknown, most = 4096): number | null {
  const number = numberWithin(value, 0, most);
  return number !== null && Number.isInteger(number) ? number : null;
}

/** One line of readable text, cut short; null for nothing, and for the words tools use for nothing. */
export function textOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, textLimit);
  return text === "" || /^\[?(n\/a|not supported|unknown( error)?|none)\]?$/i.test(text) ? null : text;
}

/** A PCI address as "0000:c1:00.0". NVIDIA writes the domain with eight digits, lspci leaves it out. */
export function pciAddressOf(value: unknown): string | null {
  const match = /^\s*(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])\s*$/i.exec(
    typeof value === "string" ? value : "",
  );
  if (!match) return null;
  const [, domain = "0", bus, device, part] = match;
  return `${domain.slice(-4).padStart(4, "0")}:${bus}:${device}.${part}`.toLowerCase();
}

/** The generation of PCIe from the speed of a lane: "32.0 GT/s PCIe", "16 GT/s". */
export function pcieGenerationOf(value: unknown): number | null {
  const speed = /^\s*(\d{1,3}(?:\.\d)?)\s*GT\/s/.exec(typeof value === "string" ? value : "")?.[1];
  const generation = [2.5, 5, 8, 16, 32, 64].indexOf(Number(speed)) + 1;
  return generation > 0 ? generation : null;
}

/** Rows of comma separated text as records by the names in its first line; units in the names, "[MiB]", are left out. */
export function recordsOf(csv: string): Record<string, string>[] {
  const [head = "", ...lines] = csv.split(/\r?\n/).filter((line) => line.trim() !== "");
  const names = head.split(",").map((name) => name.trim().replace(/ \[[^\]]*\]$/, ""));
  return lines.flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    if (cells.length < names.length) return [];
    // The last column may hold commas itself: it is a name.
    const last = cells.slice(names.length - 1).join(", ");
    return [Object.fromEntries(names.map((name, at) => [name, at < names.length - 1 ? cells[at]! : last]))];
  });
}

/** An object of parsed JSON, else an empty one. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The objects of a list of parsed JSON; at most as many as a machine has devices. */
export function objectsOf(value: unknown, most = 256): Record<string, unknown>[] {
  return Array.isArray(value) ? value.slice(0, most).map(objectOf) : [];
}

/** The JSON value in what a tool printed, warnings before and after it left out. @throws Error when there is none */
export function jsonOf(output: string): unknown {
  const start = output.search(/^[[{]/m);
  const end = Math.max(output.lastIndexOf("}"), output.lastIndexOf("]"));
  if (start < 0 || end < start) throw new Error("its answer is not JSON");
  try {
    return JSON.parse(output.slice(start, end + 1)) as unknown;
  } catch {
    throw new Error("its answer is not JSON");
  }
}
