/** Longest name a collection may have (the contract's limit). */
const LONGEST = 200;

/**
 * A name for a collection that is made without asking: what the wish says, without the file's ending, numbered if taken.
 * @param taken names in use; compared without case, as the host does
 */
export function freeCollectionName(wish: string, taken: readonly string[]): string {
  const names = new Set(taken.map((name) => name.toLowerCase()));
  const base =
    wish
      .replace(/\.[a-z0-9]{1,8}$/i, "")
      .trim()
      .slice(0, LONGEST - 6) || wish.trim();
  if (!names.has(base.toLowerCase())) return base;
  let number = 2;
  while (names.has(`${base} ${number}`.toLowerCase())) number++;
  return `${base} ${number}`;
}
