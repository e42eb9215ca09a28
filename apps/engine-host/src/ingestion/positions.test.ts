import { join } from "node:path";
import type { PageView } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { makePptx, makeXlsx } from "../ingestion-worker/testing/office-files.ts";
import { openLibraryForEachTest } from "./testing/open-library.ts";

const room = openLibraryForEachTest();
const fixtures = join(import.meta.dirname, "../ingestion-worker/fixtures");

/** The best hit, and its page with the cells that its first span touches. */
async function find(query: string): Promise<{ label: string | undefined; view: PageView; cells: string[] }> {
  const [hit] = await room.found(query);
  const [span] = hit!.spans;
  const view = await room.library.page(hit!.documentId, span!.page, hit!.spans);
  const cells = view.tableRows.flatMap(({ row, cells: inRow }) =>
    inRow
      .filter(({ start, end }) => start < span!.end && end > span!.start)
      .map(
        ({ column, start, end }) => `${String.fromCharCode(65 + column)}${row ?? ""} ${view.text.slice(start, end)}`,
      ),
  );
  return { label: hit!.label, view, cells };
}

describe("what people call a place", { timeout: 60_000 }, () => {
  it("is a sheet and its cells in a spreadsheet, which open as cells", async () => {
    const cell = (ref: string, value: string) => `<c r="${ref}" t="inlineStr"><is><t>${value}</t></is></c>`;
    const rows = `<row r="4">${cell("B4", "Vessel")}${cell("E4", "Harbour")}</row><row r="5">${cell("B5", "Dragonfly")}${cell("E5", "Tromsø")}</row>`;
    await room.add(
      await room.put(
        "fleet.xlsx",
        makeXlsx({
          sheets: [
            { name: "Ships", rows },
            { name: "Notes", rows: `<row r="1">${cell("A1", "Nothing here")}</row>` },
          ],
        }),
      ),
    );
    await room.settled();
    const { label, view, cells } = await find("dragonfly");
    expect(label).toBe("Ships B4:E5");
    expect(view.label).toBe("Ships");
    expect(cells).toEqual(["B4 Vessel", "E4 Harbour", "B5 Dragonfly", "E5 Tromsø"]);
    expect(view.lines).toEqual([]);
  });

  it("is the slide, the chapter, the part of a mail", async () => {
    await room.add(
      await room.put(
        "talk.pptx",
        makePptx([
          { title: "Opening", paragraphs: ["Welcome aboard"] },
          { title: "Costs", paragraphs: ["Rope costs forty crowns"] },
        ]),
      ),
      join(fixtures, "guide.epub"),
      await room.put(
        "letter.eml",
        "From: a@example.org\nSubject: The anchor\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nSee below.\n--x\nContent-Type: text/csv\nContent-Disposition: attachment; filename=chain.csv\n\nLink,Metres\nGalvanised,12\n--x--\n",
      ),
    );
    await room.settled();
    expect((await find("rope crowns")).label).toBe("Slide 2");
    expect((await find("galvanised")).label).toBe("chain.csv");
    const book = (await room.library.documents()).find(({ name }) => name === "guide.epub")!;
    const pages = await Promise.all(
      Array.from({ length: book.pageCount! }, (_, i) => room.library.page(book.id, i + 1, [])),
    );
    for (const page of pages) expect(page.text).toContain(page.label);
    expect(pages.some(({ label }) => label !== null)).toBe(true);
  });

  it("tables in texts keep their cells, without addresses", async () => {
    await room.add(
      await room.put(
        "tolls.html",
        "<h1>Tolls</h1><table><tr><th>Boat<th>Toll</tr><tr><td>Ferry<td>Two euros</tr></table>",
      ),
    );
    await room.settled();
    const { view, cells } = await find("ferry");
    expect(cells).toEqual(["A Boat", "B Toll", "A Ferry", "B Two euros"]);
    expect(view.tableRows.map(({ row }) => row)).toEqual([null, null]);
  });
});
