import { LiteParse, type ParsedPage } from "@llamaindex/liteparse";

type Item = ParsedPage["textItems"][number];

/** Pages that tell what the fonts of a document are like. */
const sampledPages = 20;
/**
 * Scripts that set signs above, below and around letters (of India, Thailand, Laos, Burma, Cambodia): when asked for all it
 * knows, the parser tells of smaller pieces of text, and keeps more of their words whole.
 */
const stackedScripts = /[\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]/;
/** Sizes of type that differ by less than this share are the same. */
const sameSize = 0.03;
/** What else bold fonts are called: Computer Modern's bold faces, and short names of foundries. */
const boldName = /bold|black|heavy|demi|cmbx|cmb\d|cmssbx|[-,]bd\b/i;

/** What is known of a document's fonts, so that the parser need not tell it of each piece of text: that doubles its work. */
export class Fonts {
  /** Size of type on paper to the size a font is set in; only true when `isRegular`. */
  readonly scale: number;
  /** The size on paper can be told from the size a font is set in, everywhere in the document, and nothing else is needed. */
  readonly isRegular: boolean;
  readonly #bold: Map<string, boolean>;

  constructor(sample: readonly Item[]) {
    const ratios = sample.flatMap(({ fontHeight, fontSize }) =>
      fontHeight && fontSize ? [fontHeight / fontSize] : [],
    );
    const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1;
    this.scale = median;
    const isSimple = !sample.some((item) => stackedScripts.test(item.text));
    this.isRegular = isSimple && ratios.length > 0 && ratios.every((r) => Math.abs(r / median - 1) <= sameSize);
    this.#bold = new Map();
    for (const item of sample) if (item.fontName) this.#bold.set(item.fontName, isBold(item));
  }

  isBold(item: Item): boolean {
    if (item.fontWeight !== undefined) return isBold(item);
    return this.#bold.get(item.fontName ?? "") ?? boldName.test(item.fontName ?? "");
  }
}

function isBold(item: Item): boolean {
  return (item.fontWeight ?? 0) >= 600 || boldName.test(item.fontName ?? "");
}

/** Looks at the first pages of a document. */
export async function learnFonts(file: string | Buffer): Promise<Fonts> {
  const parser = new LiteParse({
    ...{ ocrEnabled: false, quiet: true, outputFormat: "text", extractTextMetadata: true },
    targetPages: `1-${sampledPages}`,
  });
  return new Fonts((await parser.parse(file)).pages.flatMap((page) => page.textItems));
}
