/**
 * Characters that cannot be seen or that turn the text around them: with them, what is read is not what is there. Line breaks
 * and tabs are not among them.
 */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u115F\u1160\u3164\uFFA0]|(?![\n\t])\p{Cc}/gu;

/** The text with every character that cannot be seen written out, like "\u{202e}". */
export function visibleText(text: string): string {
  return text.replace(unseen, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Arguments of a call as they will be used: laid out where they are JSON, and with nothing hidden in them. */
export function visibleArguments(json: string): string {
  try {
    return visibleText(JSON.stringify(JSON.parse(json), null, 2));
  } catch {
    return visibleText(json);
  }
}
