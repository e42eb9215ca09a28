import i18next from "i18next";

/** "42 %" in the language of the page. @param fraction 0..1 */
export function percent(fraction: number): string {
  return new Intl.NumberFormat(i18next.language, { style: "percent" }).format(Math.min(1, Math.max(0, fraction)));
}

/** "1.4s" or "85ms" in the language of the page. */
export function duration(milliseconds: number): string {
  const [value, unit, digits] =
    milliseconds < 1000 ? ([milliseconds, "millisecond", 0] as const) : ([milliseconds / 1000, "second", 1] as const);
  return new Intl.NumberFormat(i18next.language, {
    style: "unit",
    unit,
    unitDisplay: "narrow",
    maximumFractionDigits: digits,
  }).format(value);
}

/** "1,024" in the language of the page. */
export function count(value: number): string {
  return new Intl.NumberFormat(i18next.language, { maximumFractionDigits: value < 100 ? 1 : 0 }).format(value);
}

/** "25 seconds" or "3 minutes" in the language of the page: a time nobody knows to the second. */
export function roughTime(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const step = seconds < 10 ? 1 : 5;
  const [value, unit] =
    seconds < 58
      ? [Math.max(1, Math.round(seconds / step) * step), "second"]
      : [Math.max(1, Math.round(seconds / 60)), "minute"];
  return new Intl.NumberFormat(i18next.language, { style: "unit", unit, unitDisplay: "long" }).format(value);
}
