import { createContext } from "react";

/** What a citation chip says about its source. */
export interface CitationLabel {
  number: number;
  /** File name. */
  document: string;
  /** Null for formats without pages. */
  page: number | null;
  /** What people call the place, where it has a name: "Slide 3". */
  label?: string | undefined;
}

export interface AnswerContext {
  citations: ReadonlyMap<number, CitationLabel>;
  activeCitation: number | null;
  onCitation: (number: number) => void;
  onLink: (address: string) => void;
}

/** Reaches the chips and links inside memoised blocks. */
export const answerContext = createContext<AnswerContext>({
  citations: new Map(),
  activeCitation: null,
  onCitation: () => undefined,
  onLink: () => undefined,
});
