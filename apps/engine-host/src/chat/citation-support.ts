import { detectLanguage } from "../store/language.ts";
import type { IndexTable } from "../store/store.ts";
import { queryTerms } from "../store/terms.ts";
import { topicWeights } from "./evidence.ts";
import { topicTerms } from "./function-words.ts";

/**
 * The least share of a statement's weight (idf of its topic words) that its passage must have to be called a paraphrase.
 * Half: a paraphrase keeps the names and things and changes the words between them, while an invented statement beside the
 * topic shares the topic alone.
 */
const leastShare = 0.5;

/** Numbers as they are said: "18:30", "1,200.50", "٣" are compared by their digits. */
const number = /\p{Nd}+(?:[.,:’'\u00a0\u202f]\p{Nd}+)*/gu;

/**
 * Whether a passage can be what a statement rests on, judged by words alone: every number of the statement must stand in
 * it, and half of the weight of what it is about. Across languages words cannot tell, so there only numbers are compared.
 * @param statement the sentence that carries the citation, without markers
 */
export async function supportOf(
  statement: string,
  passage: { text: string; headingPath: string[]; document: string },
  index: Pick<IndexTable, "idf">,
): Promise<"paraphrase" | "unsupported"> {
  const text = [passage.document, ...passage.headingPath, passage.text].join("\n");
  const numbers = new Set(numbersOf(text));
  if (numbersOf(statement).some((said) => !numbers.has(said))) return "unsupported";
  const topics = topicTerms(statement);
  if (topics.length === 0) return "paraphrase";
  const terms = new Set(queryTerms(text).flat());
  const weights = await topicWeights(topics, index);
  let all = 0;
  let held = 0;
  for (const [at, forms] of topics.entries()) {
    all += weights[at]!;
    if (forms.some((form) => terms.has(form))) held += weights[at]!;
  }
  if (held >= all * leastShare) return "paraphrase";
  return inOneLanguage(statement, passage.text) ? "unsupported" : "paraphrase";
}

function numbersOf(text: string): string[] {
  return [...text.normalize("NFKC").matchAll(number)].map(([said]) => said.replace(/\P{Nd}/gu, ""));
}

/** Characters from which on a sentence tells its language; of shorter ones only the script counts. */
const tellingLength = 40;

function inOneLanguage(statement: string, passage: string): boolean {
  if (statement.length < tellingLength || passage.length < tellingLength) {
    return /\p{Script=Latin}/u.test(statement) === /\p{Script=Latin}/u.test(passage);
  }
  const [one, other] = [detectLanguage(statement), detectLanguage(passage)];
  return one === null || other === null || one === other;
}
