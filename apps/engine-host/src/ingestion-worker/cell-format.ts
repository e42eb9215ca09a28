/** How a number in a spreadsheet cell is meant. */
export type CellFormat = "number" | "percent" | "date" | "time" | "date-time";

/** Excel's built-in number formats that are not plain numbers (ECMA-376 part 1, 18.8.30). */
const builtIn: Readonly<Record<number, CellFormat>> = {
  ...{ 9: "percent", 10: "percent", 22: "date-time", 45: "time", 46: "time", 47: "time" },
  ...Object.fromEntries(
    [14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58].map((id) => [id, "date"]),
  ),
  ...Object.fromEntries([18, 19, 20, 21, 32, 33, 34, 35].map((id) => [id, "time"])),
};

/** What a number format means. `code`: its own format code, for one that is not built in. */
export function cellFormat(id: number, code: string | undefined): CellFormat {
  if (code === undefined) return builtIn[id] ?? "number";
  // Only the part for positive numbers, without literal text, escapes, colours and conditions.
  const plain = code
    .slice(0, 255)
    .replace(/"[^"]*"?|\\.|_.|\*./g, "")
    .split(";")[0]!
    .replace(/\[(?![hms]+\])[^\]]*\]/gi, "");
  if (plain.includes("%")) return "percent";
  if (/general|0|#/i.test(plain.replace(/[.,]0+/g, "")) && !/[dy]/i.test(plain)) return "number";
  const date = /[dy]/i.test(plain) || /^[^hs]*m[^hs]*$/i.test(plain);
  const time = /[hs]/i.test(plain);
  return date ? (time ? "date-time" : "date") : time ? "time" : "number";
}

const dayMs = 86_400_000;
/** Days from the first day of Excel's calendars to 1970-01-01. The one from 1900 counts a 29 February 1900 that never was. */
const epochDays = { 1900: 25_569, 1904: 24_107 };

/**
 * A stored number as people read it: "15%", "2026-03-01", "14:30", and without the noise of binary fractions.
 * @param value as it stands in the file
 */
export function formatNumber(value: string, format: CellFormat, calendar: 1900 | 1904): string {
  const number = Number(value);
  if (value.trim() === "" || !Number.isFinite(number)) return value;
  if (format === "percent") return `${rounded(number * 100)}%`;
  if (format === "number") return rounded(number);
  const date = new Date(Math.round(((number - epochDays[calendar]) * dayMs) / 1000) * 1000);
  // Beyond the years that Excel knows.
  if (!(number >= 0 && number < 2_958_466)) return rounded(number);
  const [day, time] = date.toISOString().slice(0, 19).split("T") as [string, string];
  const clock = time.endsWith(":00") ? time.slice(0, 5) : time;
  if (format === "date") return day;
  if (format === "time")
    return number < 1 ? clock : `${Math.floor(number) * 24 + Number(time.slice(0, 2))}${clock.slice(2)}`;
  return `${day} ${clock}`;
}

function rounded(number: number): string {
  return String(Number(number.toPrecision(15)));
}
