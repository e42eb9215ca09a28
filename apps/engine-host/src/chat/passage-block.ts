import type { SearchHit } from "@corral/protocol";

/** A numbered passage as the model sees it: one line saying where it stands, then its text. */
export function passageBlock(passage: SearchHit, number: number): string {
  const place = [passage.document];
  if (passage.page !== null) place.push(`page ${passage.page}`);
  if (passage.headingPath.length > 0) place.push(passage.headingPath.join(" > "));
  return `[${number}] ${disarm(place.join(", ").replace(/\s+/gu, " "))}\n${disarm(passage.text.trim())}`;
}

/**
 * Text of a document cannot pass for the prompt's own structure: its "[3]" and its tags become their full-width twins,
 * which read the same and still compare equal when a quote is looked up.
 */
function disarm(text: string): string {
  return text.replace(/\[(\s*\d+(?:\s*[,–-]\s*\d+)*\s*)\]/gu, "［$1］").replace(/<(?=\s*\/?\s*passages\b)/giu, "＜");
}
