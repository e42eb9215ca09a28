const units = ["KiB", "MiB", "GiB", "TiB"];

/** Bytes as a person reads them, in binary units: 1,536 -> "1.5 KiB". */
export function byteSize(bytes: number, language: string): string {
  if (bytes < 1024) return `${bytes.toLocaleString(language)} B`;
  let value = bytes;
  let unit = -1;
  // 1,023.95 would be shown as "1,024.0".
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 100 ? 1 : 0 })} ${units[unit]!}`;
}
