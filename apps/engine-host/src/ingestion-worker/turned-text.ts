import { LiteParse, type ParsedPage } from "@llamaindex/liteparse";

type Item = ParsedPage["textItems"][number];

/** True for text that runs down the page. Degrees, clockwise. */
const runsDown = (item: Item) => Math.abs((item.rotation ?? 0) - 90) < 10;

export function hasTurnedText(page: ParsedPage): boolean {
  return page.textItems.some(runsDown);
}

/**
 * Text that runs down the page comes from the parser with blanks between its narrow letters ("Ottil ie"). Reads such pages once
 * more, turned so that this text stands upright, and puts what is read there in place of it.
 */
export async function mendTurnedText(file: string | Buffer, pages: ParsedPage[]): Promise<void> {
  const turned = pages.filter(hasTurnedText);
  if (turned.length === 0) return;
  const parser = new LiteParse({
    ...{ ocrEnabled: false, quiet: true, outputFormat: "text", extractTextMetadata: true },
    targetPages: turned.map((page) => page.pageNum).join(","),
    pageOrientationCorrections: turned.map((page) => ({ page: page.pageNum, angle: 90 })),
  });
  const upright = new Map((await parser.parse(file)).pages.map((page) => [page.pageNum, page]));
  for (const page of turned) {
    const found = upright.get(page.pageNum)?.textItems.filter((item) => Math.abs(item.rotation ?? 0) < 10) ?? [];
    // Recognised text was not part of the second reading.
    if (found.length === 0) continue;
    const others = page.textItems.filter((item) => !runsDown(item));
    page.textItems = [...others, ...found.map((item) => turnBack(item, page.width))];
  }
}

/** Where an item of the turned page stands on the page as it is. @param width of that page, points */
function turnBack(item: Item, width: number): Item {
  const { x, y, width: along, height: across } = item;
  return { ...item, x: width - y - across, y: x, width: across, height: along, rotation: 90 };
}
