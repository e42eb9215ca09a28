import type {
  Citation,
  Collection,
  CollectionStorage,
  DocumentState,
  DocumentSummary,
  FollowedFolder,
  PageView,
} from "@corral/protocol";

const pageText =
  "Working time and leave\n\nThe regular working time is 38.5 hours a week. Overtime is paid back in time within two months.\n\n" +
  "Notice\n\nThe notice period is three months to the end of a quarter. During the trial period of six months it is two weeks. " +
  "The notice must be given in writing.\n";
const quote = "The notice period is three months to the end of a quarter.";
const start = pageText.indexOf(quote);

export const sampleCitation: Citation = {
  number: 1,
  chunkId: "d1.4",
  documentId: "d1",
  document: "Employee handbook 2024 (final, signed).pdf",
  page: 3,
  quote,
  spans: [{ page: 3, start, end: start + quote.length }],
  support: "verbatim",
};

export const samplePage: PageView = {
  documentId: "d1",
  page: 3,
  text: pageText,
  width: 595,
  height: 842,
  boxes: [{ x: 70, y: 353, width: 278, height: 15 }],
  label: null,
  lines: [{ start, end: start + quote.length, x: 70, y: 353, width: 278, height: 15 }],
  tableRows: [],
};

export const sampleFolders: FollowedFolder[] = [
  {
    id: "f1",
    collectionId: "c1",
    path: "/srv/share/personnel",
    state: "following",
    error: null,
    checkedAt: "2025-01-01T08:00:00Z",
    documentCount: 1002,
    refusedCount: 1,
  },
  {
    id: "f2",
    collectionId: "c1",
    path: "/mnt/scans",
    state: "missing",
    error: { code: "FILE_NOT_FOUND", message: "/mnt/scans is not there (any more); check its place and add it again." },
    checkedAt: null,
    documentCount: 3,
    refusedCount: 0,
  },
];

export const sampleStorage: CollectionStorage = {
  copiesBytes: 52_428_800,
  inPlaceBytes: 1_234_567_890,
  textBytes: 41_943_040,
  indexBytes: 18_874_368,
  vectorBytes: 8_388_608,
};

export const sampleCollections: Collection[] = ["Personnel", "Contracts", "Manuals of the machine hall"].map(
  (name, at) => ({
    id: `c${at + 1}`,
    name,
    documentCount: [1008, 0, 3][at]!,
    chunkCount: [20_160, 0, 41][at]!,
    createdAt: "2025-01-01T00:00:00Z",
  }),
);

function document(
  id: string,
  name: string,
  state: DocumentState,
  change: Partial<DocumentSummary> = {},
): DocumentSummary {
  return {
    id,
    collectionId: "c1",
    name,
    title: null,
    format: "pdf",
    bytes: 1_234_567,
    state,
    progress: null,
    error: null,
    pageCount: state === "ready" ? 12 : null,
    paged: true,
    chunkCount: state === "ready" ? 48 : null,
    language: "en",
    addedAt: "2025-01-01T00:00:00Z",
    ...change,
  };
}

export const sampleDocuments: DocumentSummary[] = [
  ...Array.from({ length: 1000 }, (_, at) => document(`m${at}`, `Minutes ${1000 - at}.pdf`, "ready")),
  document("d8", "queue.html", "queued", { format: "html", bytes: 3210 }),
  document(
    "d7",
    "A very long file name that does not fit into the line however wide the window may be, as people name files.docx",
    "indexing",
    {
      format: "docx",
      progress: 0.7,
    },
  ),
  document("d6", "big-report.pdf", "reading", { progress: 0.25, bytes: 98_765_432 }),
  document("d5", "stopped.pdf", "cancelled"),
  document("d4", "scan.pdf", "failed", {
    error: {
      code: "FILE_WITHOUT_TEXT",
      message: "scan.pdf holds pictures of pages but no text; run text recognition on it and add the result.",
    },
  }),
  document("d3", "secret.pdf", "failed", {
    error: {
      code: "FILE_PASSWORD_PROTECTED",
      message: "secret.pdf is protected by a password; save a copy without one and add that.",
    },
  }),
  document("d2", "notes.md", "ready", { format: "markdown", paged: false, pageCount: 5, bytes: 4200 }),
  document("d1", "Employee handbook 2024 (final, signed).pdf", "ready"),
];
