/** Characters of a title made from a question. */
const titleLength = 60;

/** The question as a title: one line, cut at a word boundary. */
export function titleOf(question: string): string {
  const line = question.replace(/\s+/gu, " ").trim();
  if (line.length <= titleLength) return line;
  const room = line.slice(0, titleLength - 1);
  const boundary = room.lastIndexOf(" ");
  // A script without spaces, or one endless word, is cut where the room ends, but never inside a surrogate pair.
  const cut = boundary >= titleLength / 3 ? room.slice(0, boundary) : room.replace(/[\ud800-\udbff]$/u, "");
  return `${cut.replace(/[\s,;:–-]+$/u, "")}…`;
}
