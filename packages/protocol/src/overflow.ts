import { z } from "zod";

/**
 * What happens when a conversation no longer fits into the model's context. Whatever it is, the reply says what was left out.
 * drop-oldest: the oldest turns stay out. summarise: the model writes a summary that stands for them. shorter-documents:
 * fewer passages, so that the turns stay. stop: nothing is left out and the question is not answered (CONTEXT_OVERFLOW).
 */
export const overflowChoice = z.enum(["drop-oldest", "summarise", "shorter-documents", "stop"]);
export type OverflowChoice = z.infer<typeof overflowChoice>;
