import { group, literal, type Grammar } from "./gbnf.ts";

/** Bounds of a number. Values are decimal: an optional sign, digits, at most six of them after the point. */
export interface DecimalRange {
  minimum: DecimalBound | null;
  maximum: DecimalBound | null;
}

export interface DecimalBound {
  value: number;
  /** The bound itself is out. */
  isExclusive: boolean;
}

/** Digits before and after the point: what a double holds exactly enough. */
const wholeDigits = 15;
const fractionDigits = 15;
/** Digits after the point a bound may have. */
export const boundDecimals = 6;

const digits = "[0-9]";
const range = (from: number, to: number) => (from === to ? `"${from}"` : `[${from}-${to}]`);

/**
 * A JSON integer, without exponent; at most 15 digits, so that every program reads the same number.
 * @throws RangeError when the range holds none
 */
export function integerGrammar({ minimum, maximum }: DecimalRange): string {
  const largest = 10 ** wholeDigits - 1;
  const least =
    minimum === null ? -largest : minimum.isExclusive ? Math.floor(minimum.value) + 1 : Math.ceil(minimum.value);
  const most =
    maximum === null ? largest : maximum.isExclusive ? Math.ceil(maximum.value) - 1 : Math.floor(maximum.value);
  const from = Math.max(least, -largest);
  const to = Math.min(most, largest);
  if (from > to) throw new RangeError("no integer lies between its bounds");
  const alternatives: string[] = [];
  if (from < 0) alternatives.push(`"-" ${group(wholeBetween(Math.max(1, -Math.min(to, -1)), -from))}`);
  if (to >= 0) alternatives.push(...wholeBetween(Math.max(0, from), to));
  return group(alternatives);
}

/**
 * A JSON number. Without bounds it may have an exponent of two digits.
 * @param decimals most digits after the point; null: as many as a double holds
 * @throws RangeError when the range holds none
 */
export function decimalGrammar(grammar: Grammar, { minimum, maximum }: DecimalRange, decimals: number | null): string {
  const most = Math.min(decimals ?? fractionDigits, fractionDigits);
  const whole = `("0" | [1-9] [0-9]{0,${wholeDigits - 1}})`;
  const fraction = most === 0 ? '""' : `("." [0-9]{1,${most}})?`;
  if (minimum === null && maximum === null) {
    const exponent = decimals === null ? " ([eE] [-+]? [0-9]{1,2})?" : "";
    return grammar.rule("number", `"-"? ${whole} ${fraction}${exponent}`);
  }
  const alternatives: string[] = [];
  const upwards = magnitudes(minimum, maximum, most);
  if (upwards) alternatives.push(upwards);
  const negated = (bound: DecimalBound | null) => bound && { ...bound, value: -bound.value };
  const downwards = magnitudes(negated(maximum), negated(minimum), most);
  if (downwards) alternatives.push(`"-" ${downwards}`);
  if (alternatives.length === 0) throw new RangeError("no number lies between its bounds");
  return grammar.rule("number", alternatives.join(" | "));
}

/** Numbers without sign between the bounds; null: there are none. */
function magnitudes(minimum: DecimalBound | null, maximum: DecimalBound | null, decimals: number): string | null {
  const low = minimum === null || minimum.value < 0 ? { value: 0, isExclusive: false } : minimum;
  const high = maximum ?? { value: 10 ** wholeDigits - 1, isExclusive: false };
  if (high.value < 0 || low.value > high.value) return null;
  if (low.value === high.value && (low.isExclusive || high.isExclusive)) return null;
  const from = split(low.value);
  const to = split(high.value);
  const any = decimals === 0 ? '""' : `("." ${digits}{1,${decimals}})?`;
  const lowFraction = atLeast(from.fraction, low.isExclusive, decimals);
  const highFraction = atMost(to.fraction, high.isExclusive, decimals);
  if (from.whole === to.whole) {
    const between = fractionBetween(from.fraction, low.isExclusive, to.fraction, high.isExclusive, decimals);
    return between && `${literal(String(from.whole))} ${between}`;
  }
  const alternatives: string[] = [];
  if (lowFraction) alternatives.push(`${literal(String(from.whole))} ${lowFraction}`);
  if (from.whole + 1 <= to.whole - 1) alternatives.push(`${group(wholeBetween(from.whole + 1, to.whole - 1))} ${any}`);
  if (highFraction) alternatives.push(`${literal(String(to.whole))} ${highFraction}`);
  return alternatives.length === 0 ? null : group(alternatives);
}

function split(value: number): { whole: number; fraction: string } {
  const whole = Math.floor(value);
  const [, fraction = ""] = value.toFixed(boundDecimals).split(".");
  return { whole, fraction: fraction.replace(/0+$/, "") };
}

/** What may follow the whole part so that the fraction is at least 0.DIGITS; null: nothing may. */
function atLeast(bound: string, isExclusive: boolean, decimals: number): string | null {
  if (bound === "" && !isExclusive) return decimals === 0 ? '""' : `("." ${digits}{1,${decimals}})?`;
  const tail = decimals === 0 ? null : fractionTail(bound, null, isExclusive, false, decimals);
  return tail && `"." ${tail}`;
}

function atMost(bound: string, isExclusive: boolean, decimals: number): string | null {
  if (bound === "") return isExclusive ? null : decimals === 0 ? '""' : `("." "0"{1,${decimals}})?`;
  const tail = decimals === 0 ? null : fractionTail(null, bound, false, isExclusive, decimals);
  return tail ? `("." ${tail})?` : '""';
}

function fractionBetween(
  low: string,
  lowOut: boolean,
  high: string,
  highOut: boolean,
  decimals: number,
): string | null {
  const withoutPoint = low === "" && !lowOut;
  if (high === "") return highOut ? null : decimals === 0 ? '""' : `("." "0"{1,${decimals}})?`;
  const tail = decimals === 0 ? null : fractionTail(low, high, lowOut, highOut, decimals);
  if (tail === null) return withoutPoint ? '""' : null;
  return withoutPoint ? `("." ${tail})?` : `"." ${tail}`;
}

/**
 * One digit after the point and those behind it, compared with the bounds digit by digit; null bound: none any more.
 * @returns null where no digits are possible
 */
function fractionTail(
  low: string | null,
  high: string | null,
  lowOut: boolean,
  highOut: boolean,
  left: number,
): string | null {
  if (left === 0) return null;
  if (low === null && high === null) return `${digits}{1,${left}}`;
  const lowDigit = low === null ? 0 : Number(low[0] ?? "0");
  const highDigit = high === null ? 9 : Number(high[0] ?? "0");
  const alternatives: string[] = [];
  for (const digit of Array.from({ length: 10 }, (_, index) => index)) {
    if (digit < lowDigit || digit > highDigit) continue;
    const nextLow = low !== null && digit === lowDigit ? low.slice(1) : null;
    const nextHigh = high !== null && digit === highDigit ? high.slice(1) : null;
    // With no more digits the rest is zero.
    const mayEnd =
      (nextLow === null || (nextLow === "" && !lowOut)) && (nextHigh === null || nextHigh !== "" || !highOut);
    const more =
      nextLow === null && nextHigh === null
        ? left > 1
          ? `${digits}{1,${left - 1}}`
          : null
        : fractionTail(nextLow, nextHigh, lowOut, highOut, left - 1);
    if (more !== null) alternatives.push(mayEnd ? `"${digit}" (${more})?` : `"${digit}" ${more}`);
    else if (mayEnd) alternatives.push(`"${digit}"`);
  }
  return alternatives.length === 0 ? null : group(alternatives);
}

/** Decimal forms, without leading zeros, of the whole numbers from..to (0 <= from <= to). */
function wholeBetween(from: number, to: number): string[] {
  const alternatives: string[] = [];
  for (let low = from; low <= to;) {
    const length = String(low).length;
    const high = Math.min(to, 10 ** length - 1);
    alternatives.push(sameLength(String(low), String(high)));
    low = high + 1;
  }
  return alternatives;
}

/** Digit strings of one length between two others. */
function sameLength(low: string, high: string): string {
  if (low === high) return literal(low);
  const rest = low.length - 1;
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) {
    const first = range(Number(low[0]), Number(high[0]));
    return rest === 0 ? first : `${first} ${digits}{${rest}}`;
  }
  if (low[0] === high[0]) return `"${low[0]}" ${sameLength(low.slice(1), high.slice(1))}`;
  const first = Number(low[0]);
  const last = Number(high[0]);
  const alternatives = [`"${first}" ${sameLength(low.slice(1), "9".repeat(rest))}`];
  if (first + 1 <= last - 1) alternatives.push(`${range(first + 1, last - 1)} ${digits}{${rest}}`);
  alternatives.push(`"${last}" ${sameLength("0".repeat(rest), high.slice(1))}`);
  return group(alternatives);
}
