// @vitest-environment happy-dom
import { ORPCError } from "@orpc/client";
import type { PageView } from "@corral/protocol";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../connection/connection.ts";
import { sampleConnection } from "../../gallery/sample-connection.ts";
import { sampleCitation, samplePage } from "../../gallery/sample-library.ts";
import { startLocales } from "../../locales/locales.ts";
import { createStores, StoresProvider, type Stores, useSource } from "../../stores/stores.tsx";
import { SourcePanel } from "./source-panel.tsx";

const pageImage = vi.fn<() => Promise<Blob>>();
const page = vi.fn<(input: { page: number }) => Promise<PageView>>();
let stores: Stores;
let root: Root;
let opener: HTMLButtonElement;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
});
beforeEach(() => {
  pageImage.mockImplementation(() => Promise.resolve(new Blob(["png"], { type: "image/png" })));
  page.mockImplementation((input) => Promise.resolve({ ...samplePage, page: input.page, boxes: samplePage.boxes }));
  const sample = sampleConnection(false);
  const library = { ...(sample.client.library as object), page, pageImage };
  const connection = { ...sample, client: { ...(sample.client as object), library } } as unknown as Connection;
  stores = createStores(connection);
  opener = document.body.appendChild(document.createElement("button"));
  opener.focus();
  const container = document.body.appendChild(document.createElement("div"));
  root = createRoot(container);
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
  vi.clearAllMocks();
});

function Panel() {
  return useSource((state) => state.source) ? <SourcePanel /> : null;
}

async function open(citations = [sampleCitation], pageCount: number | null = 12): Promise<void> {
  await act(async () => {
    stores.source.getState().openCitation(citations[0]!, citations, pageCount);
    root.render(
      <StoresProvider stores={stores}>
        <Panel />
      </StoresProvider>,
    );
    await settled();
  });
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const panel = () => document.querySelector("section")!;
async function press(key: string, shiftKey = false): Promise<void> {
  await act(async () => {
    document.activeElement!.dispatchEvent(
      new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }),
    );
    await settled();
  });
}

test("opens at the page, with the passage marked in the text and boxed on the picture", async () => {
  await open();
  expect(panel().getAttribute("aria-label")).toBe("Source: Employee handbook 2024 (final, signed).pdf");
  expect(panel().textContent).toContain("Page 3 of 12");
  expect(panel().querySelector("mark")!.textContent).toBe(sampleCitation.quote);
  expect(panel().querySelector("img")!.src).toMatch(/^blob:/);
  const box = panel().querySelector<HTMLElement>("[data-testid=mark-box]")!;
  expect(Number.parseFloat(box.style.left)).toBeCloseTo((70 / 595) * 100, 3);
  expect(Number.parseFloat(box.style.top)).toBeCloseTo((353 / 842) * 100, 3);
  expect(Number.parseFloat(box.style.width)).toBeCloseTo((278 / 595) * 100, 3);
});

test("the text lies over the picture, line by line, to be selected and read out", async () => {
  await open();
  const layer = panel().querySelector("[data-testid=text-layer]")!;
  const line = layer.querySelector("span")!;
  expect(line.textContent).toBe(sampleCitation.quote);
  expect(Number.parseFloat(line.style.left)).toBeCloseTo((70 / 595) * 100, 3);
  expect(Number.parseFloat(line.style.top)).toBeCloseTo((353 / 842) * 100, 3);
  expect(layer.closest("[aria-hidden]")).toBeNull();
});

test("a page is called what people call it", async () => {
  page.mockImplementation((input) => Promise.resolve({ ...samplePage, page: input.page, label: "Slide 3" }));
  await open();
  expect(panel().textContent).toContain("Slide 3 · Page 3 of 12");
});

test("arrows turn pages and stop at the ends", async () => {
  await open([{ ...sampleCitation, spans: [{ page: 11, start: 0, end: 3 }], page: 11 }]);
  await press("ArrowRight");
  expect(panel().textContent).toContain("Page 12 of 12");
  await press("ArrowRight");
  expect(panel().textContent).toContain("Page 12 of 12");
  await press("ArrowLeft");
  expect(panel().textContent).toContain("Page 11 of 12");
  expect(page).toHaveBeenCalledTimes(3);
});

test("Shift and arrows go through the sources of the answer", async () => {
  const second = { ...sampleCitation, number: 2, support: "paraphrase" as const };
  await open([sampleCitation, second]);
  expect(panel().textContent).toContain("Source 1 of 2");
  expect(panel().textContent).toContain("Word for word");
  await press("ArrowRight", true);
  expect(panel().textContent).toContain("Source 2 of 2");
  expect(panel().textContent).toContain("Paraphrased");
});

test("focus goes into the panel, Escape closes it and gives the focus back", async () => {
  await open();
  expect(panel().contains(document.activeElement)).toBe(true);
  await press("Escape");
  expect(document.querySelector("section")).toBeNull();
  expect(document.activeElement).toBe(opener);
});

test("the next citation of an answer takes the focus into the panel again, and Escape gives it back there", async () => {
  await open();
  const next = document.body.appendChild(document.createElement("button"));
  next.focus();
  await open([{ ...sampleCitation, number: 2 }]);
  expect(panel().contains(document.activeElement)).toBe(true);
  await press("Escape");
  expect(document.activeElement).toBe(next);
});

test("of a file that was moved the text we read is still shown", async () => {
  const gone = new ORPCError("FILE_NOT_FOUND", { defined: true, data: { file: "x.pdf" }, message: "x.pdf is gone." });
  pageImage.mockRejectedValue(gone);
  await open();
  expect(panel().textContent).toContain("The file was moved or deleted since it was read; here is the text we read.");
  expect(panel().querySelector("mark")!.textContent).toBe(sampleCitation.quote);
  expect(panel().querySelector("img")).toBeNull();
});

test("a page that cannot be opened says why, and can be tried again", async () => {
  page.mockRejectedValueOnce(
    new ORPCError("DOCUMENT_NOT_FOUND", {
      defined: true,
      data: { document: "d1" },
      message: "The document was removed.",
    }),
  );
  await open();
  expect(panel().querySelector("[role=alert]")!.textContent).toContain("The document was removed.");
  const retry = [...panel().querySelectorAll("button")].find(({ textContent }) => textContent === "Try again")!;
  await act(async () => {
    retry.click();
    await settled();
  });
  expect(panel().querySelector("[role=alert]")).toBeNull();
  expect(panel().querySelector("mark")).not.toBeNull();
});

test("formats without pages are sections of text", async () => {
  page.mockImplementation((input) =>
    Promise.resolve({ ...samplePage, page: input.page, width: null, height: null, boxes: [] }),
  );
  await open([{ ...sampleCitation, documentId: "d2", document: "notes.md" }], 5);
  expect(panel().textContent).toContain("Section 3 of 5");
  expect(pageImage).not.toHaveBeenCalled();
  expect(panel().querySelector("mark")!.textContent).toBe(sampleCitation.quote);
});
