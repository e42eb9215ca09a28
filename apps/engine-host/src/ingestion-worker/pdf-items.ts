import type { ParsedPage } from "@llamaindex/liteparse";
import type { RowedPage } from "./pdf-blocks.ts";
import type { Fonts } from "./pdf-fonts.ts";
import { readingOrder, type TextItem } from "./pdf-lines.ts";
import { straighten } from "./recognised-lines.ts";

/** The rows of a page, in reading order. */
export function toRowedPage(page: ParsedPage, fonts: Fonts): RowedPage {
  const usable = (item: TextItem) => item.text !== "" && item.width > 0 && item.height > 0;
  const recognised = page.textItems.filter((item) => item.confidence !== undefined);
  const written = page.textItems.filter((item) => item.confidence === undefined);
  const items = [
    ...written.map((item) => toTextItem(item, fonts)).filter(usable),
    ...straighten(recognised.map((item) => toTextItem(item, fonts)).filter(usable)),
  ];
  return { page: page.pageNum, width: page.width, height: page.height, rows: readingOrder(items, page) };
}

function toTextItem(item: ParsedPage["textItems"][number], fonts: Fonts): TextItem {
  const { x, y, width, height } = item;
  return {
    text: cleanItem(item.text),
    ...{ x, y, width, height },
    fontSize: item.fontHeight || (item.fontSize ?? 0) * fonts.scale || height,
    bold: fonts.isBold(item),
    rotation: item.rotation ?? 0,
  };
}

const ligatures: Readonly<Record<string, string>> = {
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "st",
  ﬆ: "st",
};

/** PDFium writes a hyphen that divides a word as U+0002. */
function cleanItem(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\uFB00-\uFB06]/g, (ligature) => ligatures[ligature] ?? ligature)
    .replace(/[\u0002\u00ad]$/, "-")

    .replace(/[\0-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .toWellFormed();
}
