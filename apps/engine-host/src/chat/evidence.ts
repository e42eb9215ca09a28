import type { SearchHit } from "@corral/protocol";
import { splitSentences } from "../store/sentences.ts";
import type { IndexTable } from "../store/store.ts";
import { queryTerms } from "../store/terms.ts";
import { answersQuantity } from "./answer-type.ts";
import { topicTerms } from "./function-words.ts";

/** A sentence of a passage, and how well it answers. */
export interface Evidence {
  /** On one line. */
  sentence: string;
  passage: SearchHit;
  score: number;
  /** Share of the question's weight that the sentence has, half counting what only its neighbours have; 0..1. */
  coverage: number;
}

/**
 * Sentences shown to the reader. It copies the first or refuses (its card), so more only cost it hits: measured with the
 * real model on its own hand-written questions, one sentence gave 37 of 40 right and three gave 32; on
 * fixtures/questions.ts 34 and 33 of 36.
 */
const sentencesShown = 1;

/**
 * Below this coverage of the best sentence the documents do not say. Calibrated on fixtures/questions.ts, with the
 * questions of the reader's own evaluation as a check.
 */
const leastCoverage = 0.45;

/**
 * From this coverage on the first sentence has all the question's words, and the reader is not asked whether it answers:
 * on the sets above its refusals were right between 0.45 and 0.7 and wrong above.
 */
const certainCoverage = 0.9;

/** What a word counts towards coverage that stands only in the sentence before or after: "It closes at six." */
const neighbourShare = 0.5;

/** A sentence with a number ranks so much higher where the question asks for one. */
const quantityFactor = 1.15;

/** Longest sentence shown, characters; the reader was trained on sentences up to 240. */
const longestSentence = 400;

/** Added to each word's idf, so that words count even where every chunk of a small library has them. */
const idfFloor = 1;

/**
 * The sentences of these passages by the reader's own ranker: the idf of the question's words the sentence has, summed,
 * over (characters + 80)^0.2. Best first; sentences that share no word with the question are left out.
 */
export async function rankEvidence(
  question: string,
  passages: SearchHit[],
  index: Pick<IndexTable, "idf">,
): Promise<Evidence[]> {
  const topics = topicTerms(question);
  const weights = await topicWeights(topics, index);
  const total = sum(weights);
  const ranked: Evidence[] = [];
  const seen = new Set<string>();
  for (const passage of passages) {
    const sentences = quotableSentences(passage);
    const has = sentences.map((sentence) => {
      const terms = new Set(queryTerms(sentence).flat());
      return topics.map((forms) => forms.some((form) => terms.has(form)));
    });
    for (const [at, sentence] of sentences.entries()) {
      const key = `${passage.documentId} ${sentence}`;
      const mass = sum(weights.filter((_, topic) => has[at]![topic]));
      if (mass === 0 || seen.has(key)) continue;
      seen.add(key);
      const near = weights.filter((_, topic) => !has[at]![topic] && (has[at - 1]?.[topic] || has[at + 1]?.[topic]));
      const factor = answersQuantity(question, sentence) ? quantityFactor : 1;
      ranked.push({
        sentence,
        passage,
        score: (mass * factor) / (sentence.length + 80) ** 0.2,
        coverage: (mass + neighbourShare * sum(near)) / total,
      });
    }
  }
  return ranked.sort((a, b) => b.score - a.score);
}

/** What the reader gets to see: the best sentences, or none when the documents do not say. */
export function readableEvidence(ranked: Evidence[]): Evidence[] {
  const shown = ranked.slice(0, sentencesShown);
  return Math.max(0, ...shown.map((evidence) => evidence.coverage)) < leastCoverage ? [] : shown;
}

/** Whether the first of these sentences surely answers, so that only quoting it is left to do. */
export function isCertain(shown: Evidence[]): boolean {
  return shown[0] !== undefined && shown[0].coverage >= certainCoverage;
}

/** Each word's idf: that of its most frequent form, which is the one the documents use. */
export async function topicWeights(topics: string[][], index: Pick<IndexTable, "idf">): Promise<number[]> {
  const idfs = await index.idf(topics.flat());
  let at = 0;
  return topics.map((forms) => idfFloor + Math.min(...forms.map(() => idfs[at++]!)));
}

/** The passage's sentences that can stand alone as an answer: not its headings, nothing without letters. */
function quotableSentences(passage: SearchHit): string[] {
  const headings = new Set(passage.headingPath.map(oneLine));
  return splitSentences(passage.text)
    .flatMap(({ text }) => cutToLength(oneLine(text)))
    .filter((sentence) => /\p{L}/u.test(sentence) && !headings.has(sentence));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

/** A stretch without sentence ends (a table, a list of codes) in pieces that can be read, cut between words. */
function cutToLength(sentence: string): string[] {
  if (sentence.length <= longestSentence) return [sentence];
  const pieces = sentence.match(new RegExp(`.{1,${longestSentence}}(?=\\s|$)|.{${longestSentence}}`, "gu")) ?? [];
  return pieces.map((piece) => piece.trim());
}
