import type { GenerateRequest } from "../engines/engine.ts";

/** What the reader answers when no passage does. From its card; it was trained on exactly these words. */
export const refusal = "The documents don't say.";

/** The layout the reader was trained on, word for word (resources/reader-model, its card). */
const instruction =
  "You are Corral, an assistant that answers questions about the user's documents. Quote the sentence that answers the question word for word and cite its passage number like [2]. If the passages do not contain the answer, say: The documents don't say.";

/**
 * Asks the reader: the sentences, best first, as passages [1], [2] …; it replies with one of them and its number, or
 * with the refusal, and a grammar holds it to that. It knows nothing of earlier turns.
 * @param certain the ranker is sure that the first sentence answers, so the reader may not refuse. It may not either in a
 * script it was not trained on (only Latin letters), as it refuses whatever it cannot read.
 */
export function readerRequest(
  question: string,
  sentences: string[],
  { certain, maxTokens }: { certain: boolean; maxTokens: number },
): GenerateRequest {
  const passages = sentences.map((sentence, at) => `[${at + 1}] ${sentence}`);
  const quotes = sentences.map((sentence, at) => `${sentence} [${at + 1}]`);
  return {
    messages: [
      { role: "system", text: `${instruction}\n\nPassages:\n\n${passages.join("\n\n")}`.trim() },
      { role: "user", text: question },
    ],
    alternatives: quotes.length > 0 && (certain || otherScript.test(question)) ? quotes : [...quotes, refusal],
    maxTokens,
    temperature: 0,
    topP: 1,
    topK: 0,
    minP: 0,
    repeatPenalty: 1,
    seed: null,
  };
}

/** A letter the reader was not trained on. */
const otherScript = /(?!\p{Script=Latin})\p{L}/u;

const greetings = new Set(
  (
    "hello|hi|hey|hello there|hi there|hey there|good morning|good afternoon|good evening|good day|hello corral|hi corral|" +
    "thanks|thank you|thanks a lot|how are you|hallo|guten tag|guten morgen|guten abend|danke|bonjour|salut|merci|hola|" +
    "buenos días|buenos dias|gracias|ciao|buongiorno|salve|grazie|olá|ola|bom dia|obrigado|obrigada|สวัสดี|नमस्ते"
  ).split("|"),
);
const selfQuestions = new Set(
  (
    "who are you|what are you|what can you do|what is this|help|how can you help me|are you a robot|what is your name|" +
    "what's your name|who am i talking to|hello who are you|wer bist du|was kannst du|hilfe|wie heißt du|qui es-tu|" +
    "que peux-tu faire|aide|quién eres|qué puedes hacer|ayuda|chi sei|che cosa sai fare|aiuto|quem é você|" +
    "o que você pode fazer|ajuda"
  ).split("|"),
);

/**
 * The fixed reply to a greeting or to a question about the reader itself, in the words it was trained on; null for
 * everything else. Fixed, because a model that can only quote must not look as if it conversed.
 */
export function fixedReply(question: string): string | null {
  const plain = question
    .toLowerCase()
    .replace(/[!?¡¿.,]+/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
  if (greetings.has(plain)) return "Hello! Ask me a question about your documents.";
  if (selfQuestions.has(plain)) {
    return "I am Corral's small built-in reader. I quote the sentence in your documents that answers the question.";
  }
  return null;
}
