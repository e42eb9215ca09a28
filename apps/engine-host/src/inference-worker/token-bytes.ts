import { LlamaVocabularyType, type LlamaModel, type Token } from "node-llama-cpp";

/** node-llama-cpp hands out a token's text only as whole characters; the vocabulary's own spelling has its bytes. */
type WithVocabulary = LlamaModel & { _model?: { getTokenString?(token: Token): string } };

/**
 * GPT-2's spelling of bytes, as byte-level BPE vocabularies are stored: printable Latin-1 characters stand for themselves,
 * and 256 and up for the other bytes in order (`bytes_to_unicode` in openai/gpt-2, encoder.py).
 */
const byteOfCharacter = new Map<string, number>();
let next = 256;
for (let byte = 0; byte < 256; byte++) {
  const isPlain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  byteOfCharacter.set(String.fromCharCode(isPlain ? byte : next++), byte);
}

/** The bytes of one token's text; a single token need not be a whole character. */
export function bytesOfToken(model: LlamaModel, token: Token): number[] {
  const spelling = (model as WithVocabulary)._model?.getTokenString?.(token);
  if (spelling === undefined || model.isSpecialToken(token)) return [...Buffer.from(model.detokenize([token], true))];
  if (model.vocabularyType === LlamaVocabularyType.bpe) {
    const bytes = [...spelling].map((character) => byteOfCharacter.get(character));
    // A token that was added to the vocabulary is spelled as it is.
    return bytes.includes(undefined) ? [...Buffer.from(spelling)] : (bytes as number[]);
  }
  const [, byte] = /^<0x([0-9A-F]{2})>$/.exec(spelling) ?? [];
  return byte === undefined ? [...Buffer.from(spelling.replaceAll("▁", " "))] : [parseInt(byte, 16)];
}
