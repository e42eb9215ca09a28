/** The yardstick of `ingest`: liteparse alone reads the PDFs named on the command line; prints the pages and ms it took. */
import { LiteParse } from "@llamaindex/liteparse";

const start = performance.now();
let pages = 0;
for (const path of process.argv.slice(2)) {
  const parser = new LiteParse({ ocrEnabled: false, quiet: true });
  pages += (await parser.parse(path)).pages.length;
}
console.log(JSON.stringify({ pages, ms: performance.now() - start }));
