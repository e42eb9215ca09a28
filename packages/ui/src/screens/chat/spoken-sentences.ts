/** Only these end a sentence for sure; a segmenter also ends one where the text so far happens to stop. */
const COMPLETE = /[.!?…。！？।][)"'”’»\]\s]*$/u;

/**
 * The whole sentences of a text that is still growing, as they are read out: without Markdown signs and source numbers.
 * @param from how much of `text` (UTF-16) was read out already
 * @param finished the text will not grow any more, so its rest counts as a sentence
 * @returns what to read out now, and the new `from`
 */
export function spokenSentences(
  text: string,
  from: number,
  finished: boolean,
  language: string,
): { spoken: string; upTo: number } {
  const rest = text.slice(from);
  if (finished) return { spoken: plain(rest), upTo: text.length };
  const sentences = [...new Intl.Segmenter(language, { granularity: "sentence" }).segment(rest)];
  // The last one may go on.
  const whole = sentences.slice(0, -1).map(({ segment }) => segment);
  while (whole.length > 0 && !COMPLETE.test(whole.at(-1) ?? "") && !whole.at(-1)?.includes("\n")) whole.pop();
  const taken = whole.join("");
  return { spoken: plain(taken), upTo: from + taken.length };
}

function plain(markdown: string): string {
  return markdown
    .replace(/\[\d+\]/g, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*(?:[#>]+|[-*+]|\d+\.)\s+/gm, "")
    .replace(/[*_`~|]+/g, "")
    .replace(/\s+([.,;:!?])/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
