// @vitest-environment happy-dom
import type { TableRow } from "@corral/protocol";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { samplePage } from "../../gallery/sample-library.ts";
import { startLocales } from "../../locales/locales.ts";
import { SectionText } from "./section-text.tsx";

let root: Root;
beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await startLocales();
});
beforeEach(() => {
  root = createRoot(document.body.appendChild(document.createElement("div")));
});
afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
});

/** A row whose cells stand in the text in this order. */
function rowOf(text: string, row: number | null, cells: [column: number, content: string][], from = 0): TableRow {
  let at = from;
  return {
    row,
    cells: cells.map(([column, content]) => {
      const start = text.indexOf(content, at);
      at = start + content.length;
      return { column, start, end: at };
    }),
  };
}

function show(text: string, tableRows: TableRow[], marked: string): void {
  const start = text.indexOf(marked);
  const page = { ...samplePage, page: 1, text, tableRows };
  const spans = [{ page: 1, start, end: start + marked.length }];
  act(() => root.render(<SectionText page={page} spans={spans} />));
}
const cells = () =>
  [...document.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
const marks = () => [...document.querySelectorAll("mark")].map((mark) => mark.textContent);

test("a sheet is a table with addresses, and the cited cells are marked", () => {
  const text = "Budget\n\nB2:E3\n\nItem | | | Euro\nRope | | | 120\n\nB9:C9\n\nTotal | 120\n";
  const rows = [
    rowOf(text, 2, [
      [1, "Item"],
      [4, "Euro"],
    ]),
    rowOf(text, 3, [
      [1, "Rope"],
      [4, "120"],
    ]),
    rowOf(
      text,
      9,
      [
        [1, "Total"],
        [2, "120"],
      ],
      text.indexOf("Total"),
    ),
  ];
  show(text, rows, "Rope | | | 120");
  expect(cells()).toEqual([
    ["Row", "B", "C", "D", "E"],
    ["2", "Item", "", "", "Euro"],
    ["3", "Rope", "", "", "120"],
    ["Row", "B", "C"],
    ["9", "Total", "120"],
  ]);
  expect(marks()).toEqual(["Rope", "120"]);
  expect(document.body.textContent).toContain("B2:E3");
});

test("a table in a text has no addresses, and the text around it is marked as before", () => {
  const text = "The tolls are these.\n\nBoat | Toll\nFerry | 2\n\nPaid at the pier.";
  const rows = [
    rowOf(text, null, [
      [0, "Boat"],
      [1, "Toll"],
    ]),
    rowOf(text, null, [
      [0, "Ferry"],
      [1, "2"],
    ]),
  ];
  show(text, rows, "Paid at the pier.");
  expect(cells()).toEqual([
    ["Boat", "Toll"],
    ["Ferry", "2"],
  ]);
  expect(marks()).toEqual(["Paid at the pier."]);
});

test("places that the text does not have are left out", () => {
  show(
    "Short.",
    [
      { row: 1, cells: [{ column: 0, start: 4, end: 90 }] },
      { row: 2, cells: [] },
    ],
    "Short",
  );
  expect(document.querySelector("table")).toBeNull();
  expect(marks()).toEqual(["Short"]);
});
