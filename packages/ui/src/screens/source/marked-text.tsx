import type { TextSpan } from "@corral/protocol";

export interface MarkedTextProps {
  text: string;
  /** Of this page, or of any: others are left out. */
  spans: readonly TextSpan[];
  page: number;
}

/** A page's text with the cited passages marked. */
export function MarkedText({ text, spans, page }: MarkedTextProps) {
  return (
    <>
      {markedPieces(text, spans, page).map((piece, at) =>
        piece.marked ? <mark key={at}>{piece.text}</mark> : <span key={at}>{piece.text}</span>,
      )}
    </>
  );
}

/** The text cut where a mark begins or ends. Spans may overlap, touch, or reach past the text (they come from the host). */
export function markedPieces(
  text: string,
  spans: readonly TextSpan[],
  page: number,
): { text: string; marked: boolean }[] {
  const pieces: { text: string; marked: boolean }[] = [];
  let done = 0;
  const put = (until: number, marked: boolean) => {
    if (until <= done) return;
    const before = pieces.at(-1);
    if (before?.marked === marked) before.text += text.slice(done, until);
    else pieces.push({ text: text.slice(done, until), marked });
    done = until;
  };
  for (const span of spans.filter((one) => one.page === page).sort((a, b) => a.start - b.start)) {
    put(Math.min(text.length, span.start), false);
    put(Math.min(text.length, span.end), true);
  }
  put(text.length, false);
  return pieces;
}
