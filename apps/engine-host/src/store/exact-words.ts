import { exactWord, unspacedScript, wordsOf } from "./terms.ts";

/**
 * Tells of texts whether the words of a phrase stand in them one after the other, exactly as they are but for case, the
 * diacritics of Latin letters, and what stands between words. Scripts without blanks are compared without regard to where
 * words begin, as that depends on what stands around them.
 */
export function phraseMatcher(phrase: string): (text: string) => boolean {
  const words = foldedWords(phrase);
  if (words.length === 0) return () => true;
  if (unspacedScript.test(phrase)) {
    const wanted = words.join("");
    return (text) => foldedWords(text).join("").includes(wanted);
  }
  const wanted = ` ${words.join(" ")} `;
  return (text) => ` ${foldedWords(text).join(" ")} `.includes(wanted);
}

function foldedWords(text: string): string[] {
  return wordsOf(text).map(exactWord);
}
