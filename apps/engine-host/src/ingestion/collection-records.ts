import { documentFormat, errorReport, tableRow, textSpan } from "@corral/protocol";
import { z } from "zod";

/** What records of a collection's file hold (collection-file.ts). Numbers are checked, as whoever made the file is unknown. */
const count = z.number().int().min(0).max(100_000_000);
const finite = z.number().min(-1e9).max(1e9);

export const collectionDocument = z.object({
  name: z.string().min(1).max(1000),
  format: documentFormat,
  title: z.string().max(100_000).nullable(),
  language: z.string().max(35).nullable(),
  paged: z.boolean(),
  /** Of the original. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: count.max(Number.MAX_SAFE_INTEGER),
  note: errorReport.nullable(),
  pages: count,
  chunks: count,
});
export type CollectionDocument = z.infer<typeof collectionDocument>;

export const collectionPages = z.array(
  z.object({
    page: count.min(1),
    text: z.string(),
    width: finite.nullable(),
    height: finite.nullable(),
    lines: z.array(z.object({ start: count, end: count, x: finite, y: finite, width: finite, height: finite })),
    label: z.string().max(1000).nullable().default(null),
    tableRows: z.array(tableRow).default([]),
  }),
);

export const collectionChunks = z.array(
  z.object({
    text: z.string(),
    headingPath: z.array(z.string()).max(100),
    spans: z.array(textSpan),
    tokenEstimate: count,
  }),
);
