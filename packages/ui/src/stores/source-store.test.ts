import type { Citation } from "@corral/protocol";
import { afterEach, expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { createSourceStore } from "./source-store.ts";
import { FakeHost } from "./testing/fake-host.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

function citation(number: number, documentId: string, page: number): Citation {
  return {
    number,
    chunkId: `chunk-${number}`,
    documentId,
    document: `${documentId}.pdf`,
    page,
    quote: "So it is.",
    spans: [{ page, start: 3, end: 9 }],
    support: "verbatim",
  };
}

async function start() {
  const host = new FakeHost();
  const connection = host.connect();
  open.push(connection);
  await vi.waitFor(() => expect(connection.state().kind).toBe("ready"));
  return { host, source: createSourceStore(connection) };
}

test("a citation opens its document at the page of the passage, text first, then the picture", async () => {
  const { source } = await start();
  source.getState().openCitation(citation(1, "d1", 7), [citation(1, "d1", 7)], 12);
  expect(source.getState()).toMatchObject({ pageLoading: true, source: { documentId: "d1", page: 7, pageCount: 12 } });
  await vi.waitFor(() => expect(source.getState().pictureUrl).toMatch(/^blob:/));
  expect(source.getState()).toMatchObject({ pageLoading: false, page: { page: 7, text: "Page 7" }, error: null });
});

test("steps through the answer's citations in the order of their numbers and stops at the ends", async () => {
  const { source } = await start();
  const all = [citation(2, "d1", 9), citation(1, "d1", 3), citation(3, "d2", 1)];
  source.getState().openCitation(all[1] as Citation, all, 12);
  const now = () => source.getState().source;
  source.getState().step(-1);
  expect(now()?.citation?.number).toBe(1);
  source.getState().step(1);
  expect(now()).toMatchObject({ page: 9, pageCount: 12 });
  source.getState().step(1);
  expect(now()).toMatchObject({ documentId: "d2", page: 1, pageCount: null });
  source.getState().step(1);
  expect(now()?.documentId).toBe("d2");
});

test("turns pages within the document only", async () => {
  const { source } = await start();
  source.getState().openDocument({ id: "d1", name: "d1.pdf", pageCount: 2 });
  source.getState().goToPage(0);
  expect(source.getState().source?.page).toBe(1);
  source.getState().goToPage(2);
  source.getState().goToPage(3);
  expect(source.getState().source?.page).toBe(2);
});

test("a page that was turned away from never shows up late", async () => {
  const { host, source } = await start();
  const held: (() => void)[] = [];
  host.onPageImage = () => new Promise((resolve) => held.push(resolve));
  source.getState().openDocument({ id: "d1", name: "d1.pdf", pageCount: 2 });
  await vi.waitFor(() => expect(held).toHaveLength(1));
  source.getState().goToPage(2);
  await vi.waitFor(() => expect(held).toHaveLength(2));
  held[0]?.();
  await vi.waitFor(() => expect(source.getState().page?.page).toBe(2));
  expect(source.getState().pictureUrl).toBeNull();
  source.getState().close();
  held[1]?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(source.getState()).toMatchObject({ source: null, page: null, pictureUrl: null });
});

test("a file that moved is said in the host's words, with the text still there", async () => {
  const { host, source } = await start();
  host.failures.set("library.pageImage", {
    code: "FILE_NOT_FOUND",
    message: "It was moved.",
    data: { file: "d1.pdf" },
  });
  source.getState().openDocument({ id: "d1", name: "d1.pdf", pageCount: 2 });
  await vi.waitFor(() => expect(source.getState().error?.message).toBe("It was moved."));
  expect(source.getState().page?.text).toBe("Page 1");
  source.getState().retry();
  await vi.waitFor(() => expect(source.getState().pictureUrl).not.toBeNull());
});
