import { z } from "zod";
import { evaluationFileLimit } from "./evaluation-file-limit.ts";
import { searchLeg, searchNote } from "./search.ts";

/** A text file with questions or judgements; the name is for errors. */
const evaluationFile = z.object({ name: z.string().max(4096), content: z.string().max(evaluationFileLimit) });

/** Questions with known answers, asked of one collection. */
export const evaluationRequest = z.object({
  collectionId: z.string().min(1).max(64),
  /** JSON Lines: {"_id","text"} each. */
  queries: evaluationFile,
  /** Tab-separated, with the header query-id, corpus-id, score. A document's id is its file name without the ending. */
  judgements: evaluationFile,
});
export type EvaluationRequest = z.infer<typeof evaluationRequest>;

/** Means over the questions in percent; times of a search for ten passages within the host, ms. */
export const evaluationFigures = z.object({
  ndcg10: z.number(),
  recall5: z.number(),
  recall100: z.number(),
  p50Ms: z.number(),
  p95Ms: z.number(),
  /** Questions with at least one relevant document; the others are left out. */
  queries: z.number().int(),
});
export type EvaluationFigures = z.infer<typeof evaluationFigures>;

/** How one question fared. */
export const judgedAnswer = z.object({
  id: z.string(),
  text: z.string(),
  /** Percent. */
  ndcg10: z.number(),
  /** The most relevant documents of the judgements, with their place among those found; null: not in the first hundred. */
  relevant: z.array(z.object({ document: z.string(), place: z.number().int().nullable() })),
  /** The documents that were found first. */
  found: z.array(z.string()),
});
export type JudgedAnswer = z.infer<typeof judgedAnswer>;

export const evaluationResult = z.object({
  figures: evaluationFigures,
  /** Which ways of ranking ran, over how many questions. */
  legs: z.array(z.object({ legs: z.array(searchLeg), queries: z.number().int() })),
  /** What was noted, one of each type, over how many questions. */
  notes: z.array(z.object({ note: searchNote, queries: z.number().int() })),
  /** The questions that fared worst, worst first; those that fared perfectly are not among them. */
  worst: z.array(judgedAnswer),
});
export type EvaluationResult = z.infer<typeof evaluationResult>;

/** How far an evaluation is, in questions; `done` ends it. `warming`: models are being loaded before the first question counts. */
export const evaluationEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("warming") }),
  z.object({ type: z.literal("progress"), done: z.number().int(), total: z.number().int() }),
  z.object({ type: z.literal("done"), result: evaluationResult }),
]);
export type EvaluationEvent = z.infer<typeof evaluationEvent>;
