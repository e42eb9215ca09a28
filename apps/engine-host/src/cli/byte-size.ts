import { UsageError } from "./command.ts";

const units: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/**
 * An amount of memory: bytes, or a number with a unit ("1GiB", "512MiB", "1.5GB"; all powers of two).
 * @throws UsageError
 */
export function parseByteSize(text: string, option: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])i?B?|B|bytes)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(number) * (unit ? (units[unit.toUpperCase()] ?? NaN) : 1));
  if (!(bytes >= 0 && bytes <= 2 ** 50)) {
    throw new UsageError(`${option} takes bytes or a size such as 1GiB, not "${text}".`);
  }
  return bytes;
}
