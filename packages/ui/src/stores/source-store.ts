import type { Citation, ErrorReport, PageView, TextSpan } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";

/** What the source panel shows. */
export interface OpenSource {
  readonly documentId: string;
  /** File name. */
  readonly document: string;
  /** From 1: a page of a PDF, a section of another format. */
  readonly page: number;
  /** Null when unknown. */
  readonly pageCount: number | null;
  /** Passages to mark, on any page of the document. */
  readonly spans: readonly TextSpan[];
  /** The citation that was opened; null when the document was opened by itself. */
  readonly citation: Citation | null;
}

export interface SourceState {
  readonly source: OpenSource | null;
  /** The citations of the answer the opened one belongs to, in the order of their numbers. */
  readonly citations: readonly Citation[];
  readonly page: PageView | null;
  readonly pageLoading: boolean;
  /** Object URL of the page's picture; null while it loads and for formats without pages. */
  readonly pictureUrl: string | null;
  readonly error: ErrorReport | null;
  /** @param pageCount null when the caller does not know it */
  openCitation(citation: Citation, citations: readonly Citation[], pageCount?: number | null): void;
  openDocument(
    document: { id: string; name: string; pageCount: number | null },
    page?: number,
    spans?: readonly TextSpan[],
  ): void;
  goToPage(page: number): void;
  /** The neighbouring citation of the same answer: +1 or -1. Stops at the ends. */
  step(by: 1 | -1): void;
  retry(): void;
  close(): void;
}

/** 2 = 144 dpi: sharp on ordinary and high-density screens alike at the panel's width, and a small PNG still. */
const PICTURE_SCALE = 2;

/** The document beside the answer: which one is open, at which page, with which passage marked. */
export function createSourceStore(connection: Connection): StoreApi<SourceState> {
  let loading = new AbortController();

  const store = createStore<SourceState>()((set, get) => ({
    source: null,
    citations: [],
    page: null,
    pageLoading: false,
    pictureUrl: null,
    error: null,
    openCitation: (citation, citations, pageCount = null) => {
      set({ citations: [...citations].sort((a, b) => a.number - b.number) });
      show({
        documentId: citation.documentId,
        document: citation.document,
        page: citation.spans[0]?.page ?? citation.page ?? 1,
        pageCount,
        spans: citation.spans,
        citation,
      });
    },
    openDocument: ({ id, name, pageCount }, page = 1, spans = []) => {
      set({ citations: [] });
      show({ documentId: id, document: name, page: spans[0]?.page ?? page, pageCount, spans, citation: null });
    },
    goToPage: (page) => {
      const { source } = get();
      if (source && page >= 1 && page <= (source.pageCount ?? Infinity)) show({ ...source, page });
    },
    step: (by) => {
      const { source, citations, openCitation } = get();
      const next = citations[citations.findIndex(({ number }) => number === source?.citation?.number) + by];
      // The length in pages is known for the same document only.
      if (next && source) {
        openCitation(next, citations, next.documentId === source.documentId ? source.pageCount : null);
      }
    },
    retry: () => {
      const { source } = get();
      if (source) show(source);
    },
    close: () => {
      loading.abort();
      clear({ source: null, citations: [] });
    },
  }));

  function clear(change: Partial<SourceState>): void {
    const { pictureUrl } = store.getState();
    if (pictureUrl) URL.revokeObjectURL(pictureUrl);
    store.setState({ page: null, pageLoading: false, pictureUrl: null, error: null, ...change });
  }

  /** Loads the page's text and marks, then its picture; a later call replaces an earlier one. */
  function show(source: OpenSource): void {
    loading.abort();
    const { signal } = (loading = new AbortController());
    clear({ source, pageLoading: true });
    void load(source, signal).catch((error: unknown) => {
      if (!signal.aborted) store.setState({ error: reportOf(error), pageLoading: false });
    });
  }

  async function load({ documentId, page, spans }: OpenSource, signal: AbortSignal): Promise<void> {
    const { library } = connection.client;
    const view = await library.page({ documentId, page, highlight: [...spans] }, { signal });
    if (signal.aborted) return;
    store.setState({ page: view, pageLoading: false });
    if (view.width === null) return;
    const picture = await library.pageImage({ documentId, page, scale: PICTURE_SCALE }, { signal });
    if (!signal.aborted) store.setState({ pictureUrl: URL.createObjectURL(picture) });
  }

  return store;
}
