/**
 * The `format`s of JSON Schema that a grammar enforces, each as the expression of its characters. What a format allows in
 * rare forms (a leap second, an address literal in a mail address) may be left out: the reply is valid, whatever it says.
 */

const month31 = '("0" [13578] | "1" [02])';
const month30 = '("0" [469] | "11")';
const upTo28 = '("0" [1-9] | "1" [0-9] | "2" [0-8])';
/** Divisible by 4, and by 400 where by 100. */
const leapYear =
  '([0-9]{2} ("0" [48] | [2468] [048] | [13579] [26]) | ("0" [48] | [2468] [048] | [13579] [26] | "00") "00")';
const fullDate = `([0-9]{4} "-" (${month31} "-" (${upTo28} | "29" | "3" [01]) | ${month30} "-" (${upTo28} | "29" | "30") | "02-" ${upTo28}) | ${leapYear} "-02-29")`;
const hour = '([01] [0-9] | "2" [0-3])';
const minute = "[0-5] [0-9]";
const fullTime = `(${hour} ":" ${minute} ":" ${minute} ("." [0-9]{1,6})? ("Z" | [+-] ${hour} ":" ${minute}))`;
const label = "([A-Za-z0-9] [A-Za-z0-9-]{0,30} [A-Za-z0-9] | [A-Za-z0-9])";
/** What ends a host's name begins with a letter, else it would read as an address of numbers. */
const domain = `((${label} "."){1,4} [A-Za-z]{2,20})`;
const octet = '("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9] [0-9] | [0-9])';
const hex = (count: number) => `[0-9a-f]{${count}}`;
const atom = "[A-Za-z0-9_+-]{1,30}";
/** RFC 3986 without percent escapes, so that nothing can be half an escape. */
const address = "[A-Za-z0-9._~:/?#@!$&'()*+,;=-]";

export const stringFormats: ReadonlyMap<string, string> = new Map([
  ["date", fullDate],
  ["time", fullTime],
  ["date-time", `(${fullDate} "T" ${fullTime})`],
  ["uuid", `(${hex(8)} "-" ${hex(4)} "-" ${hex(4)} "-" ${hex(4)} "-" ${hex(12)})`],
  ["ipv4", `(${octet} ("." ${octet}){3})`],
  ["hostname", domain],
  ["email", `(${atom} ("." ${atom}){0,3} "@" ${domain})`],
  ["uri", `(("https" | "http") "://" ${domain} ("/" ${address.replace("#", "")}{0,200})?)`],
]);
