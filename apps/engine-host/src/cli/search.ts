import { defineCommand, onlyArgument, wholeNumber } from "./command.ts";
import { describeSearchNote } from "./search-notes.ts";
import { chooseSources } from "./sources.ts";

export const search = defineCommand({
  name: "search",
  summary: "find passages in your documents",
  help: `
Usage: corral search "QUERY" [--collection NAME] [-k 10] [--json]

Prints the passages that fit the query best, from one collection or from all of them.
  --collection NAME  search only this collection
  -k NUMBER          how many passages at most, 1 to 100 (10)
Words in quotes must stand so; -WORD leaves passages with it out; file:, collection:, type: and date: choose documents.
With --json: {"hits":[{"document","page","text","score","legs":{"lexical","dense","rerank"}}],"legs":[…],"notes":[…]}; page is
null for documents without pages, a leg {"rank","score"} or null where it did not find the passage. "legs" names the ways of
searching that ran, "notes" says why others did not.`,
  options: { collection: { type: "string" }, limit: { type: "string", short: "k", default: "10" } },
  async run({ values, positionals, connect, output, signal }) {
    const query = onlyArgument(positionals, "what to search for");
    const limit = wholeNumber(values.limit, "-k", 1, 100);
    await using session = await connect();
    const { client } = session;
    const sources = await chooseSources(client, values.collection, signal);
    if (sources.collectionIds.length === 0) {
      output.note("There are no documents yet. Add some: corral docs add FILE --collection NAME.");
    }
    const { hits, legs, notes } = await client.library.search({ query, sources, limit }, { signal });
    const shown = hits.map(({ document, page, text, score, legs }) => ({ document, page, text, score, legs }));
    for (const note of notes) output.note(describeSearchNote(note));
    output.result({ hits: shown, legs, notes }, () =>
      shown.length === 0 ? "Nothing found." : shown.map((hit, index) => describeHit(hit, index + 1)).join("\n\n"),
    );
  },
});

function describeHit(hit: { document: string; page: number | null; text: string }, number: number): string {
  const place = hit.page === null ? hit.document : `${hit.document}, page ${hit.page}`;
  const text = hit.text.replace(/\s+/g, " ").trim();
  return `${number}. ${place}\n   ${text.length > 400 ? `${text.slice(0, 400)}…` : text}`;
}
