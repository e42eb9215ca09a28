import type { Picture } from "./picture.ts";

/** Where a picture says nothing of its size on paper: a screen's, or what makes a large one fit a sheet. */
const screenDpi = 96;
const screenSide = 2000;
const sheetInches = 11.7;
/** A stored size beyond this is not meant for paper: cameras write 72 dpi. Inches. */
const largestInches = 24;

/** Wraps pictures into a PDF, a page each, without decoding them. */
export function toPdf(pictures: Picture[]): Buffer {
  const objects: Buffer[] = [];
  const add = (body: string | Buffer[]) =>
    objects.push(typeof body === "string" ? Buffer.from(body, "latin1") : Buffer.concat(body));
  const pages: number[] = [];
  // Objects 1 and 2 are the catalog and the list of pages.
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add("");
  for (const picture of pictures) {
    const images = picture.strips.map((strip) => {
      const head = `<< /Type /XObject /Subtype /Image /Width ${picture.width} /Height ${strip.height} ${strip.dictionary} /Length ${strip.data.length} >>\nstream\n`;
      return add([Buffer.from(head, "latin1"), strip.data, Buffer.from("\nendstream", "latin1")]);
    });
    const size = sizeOf(picture);
    const places = picture.strips.map(({ y, height }, i) => {
      const share = height / picture.height;
      return `q 1 0 0 ${share} 0 ${1 - y / picture.height - share} cm /I${i} Do Q`;
    });
    const content = `q ${placement(picture.orientation, size).join(" ")} cm ${places.join(" ")} Q`;
    const stream = add(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
    const resources = images.map((object, i) => `/I${i} ${object} 0 R`).join(" ");
    pages.push(
      add(
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${size.width} ${size.height}] /Contents ${stream} 0 R /Resources << /XObject << ${resources} >> >> >>`,
      ),
    );
  }
  objects[1] = Buffer.from(
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((page) => `${page} 0 R`).join(" ")}] >>`,
    "latin1",
  );
  return file(objects);
}

function file(objects: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.7\n", "latin1")];
  const offsets: number[] = [];
  let at = parts[0]!.length;
  for (const [i, object] of objects.entries()) {
    offsets.push(at);
    const whole = [Buffer.from(`${i + 1} 0 obj\n`, "latin1"), object, Buffer.from("\nendobj\n", "latin1")];
    parts.push(...whole);
    at += whole.reduce((sum, part) => sum + part.length, 0);
  }
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`;
  parts.push(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}${trailer}`, "latin1"));
  return Buffer.concat(parts);
}

/** The page of a picture in points, as people see it. */
function sizeOf({ width, height, dpi, orientation }: Picture): { width: number; height: number } {
  const long = Math.max(width, height);
  const guessed = long <= screenSide ? screenDpi : long / sheetInches;
  const usable = dpi && dpi.x >= 30 && dpi.y >= 30 && Math.max(width / dpi.x, height / dpi.y) <= largestInches;
  const { x, y } = usable ? dpi : { x: guessed, y: guessed };
  const size = { width: (width / x) * 72, height: (height / y) * 72 };
  return orientation > 4 ? { width: size.height, height: size.width } : size;
}

/** The matrix that puts the stored picture (a unit square) on the page, upright. */
function placement(orientation: number, { width, height }: { width: number; height: number }): number[] {
  switch (orientation) {
    case 2:
      return [-width, 0, 0, height, width, 0];
    case 3:
      return [-width, 0, 0, -height, width, height];
    case 4:
      return [width, 0, 0, -height, 0, height];
    case 5:
      return [0, -height, -width, 0, width, height];
    case 6:
      return [0, -height, width, 0, 0, height];
    case 7:
      return [0, height, width, 0, 0, 0];
    case 8:
      return [0, height, -width, 0, width, 0];
    default:
      return [width, 0, 0, height, 0, 0];
  }
}
