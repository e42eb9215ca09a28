import { detect } from "tinyld";

/** Characters looked at: enough for n-grams to agree, cheap for a book. */
const SAMPLE = 4000;

/**
 * The languages told apart: Corral's eight and those with much written in them. The detector knows constructed and small
 * ones too, and takes a short English line for Klingon.
 */
const languages =
  "en de fr it pt es hi th nl sv da no fi pl cs sk hu ro tr el ru uk bg sr hr ar he fa ja ko zh vi id bn ta te mr ur".split(
    " ",
  );

/** BCP-47 primary language of a text, or null where it is too short or too mixed to tell. */
export function detectLanguage(text: string): string | null {
  return detect(text.slice(0, SAMPLE), { only: languages }) || null;
}
