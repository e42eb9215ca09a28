import { PDFDocument, StandardFonts } from "pdf-lib";

/** Three pages, each a heading and paragraphs. Sizes in points, as PDF has them. */
const pages: { heading: string; paragraphs: string[] }[] = [
  {
    heading: "Lease agreement",
    paragraphs: [
      "This lease is made between Harbour Estates Ltd, the landlord, and Mira Okafor, the tenant, for the flat at 12 Quay Street.",
      "The lease begins on 1 March 2025 and runs for three years.",
    ],
  },
  {
    heading: "Rent and deposit",
    paragraphs: [
      "The monthly rent is 1,450 euros and is due on the first working day of each month.",
      "A deposit of two months' rent is held in a separate account and is returned within thirty days after the tenant has left.",
      "Late payment is charged at four per cent a year from the fifth day after the due date.",
    ],
  },
  {
    heading: "Repairs and pets",
    paragraphs: [
      "The landlord repairs the heating, the roof and the windows at its own cost within fourteen days after notice.",
      "The tenant may keep one cat or one small dog with the landlord's written consent.",
    ],
  },
];

const margin = 72;
const a4: [number, number] = [595, 842];
const size = 11;

/** A contract as a word processor would save it: real text in a real font. */
export async function leasePdf(): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const body = await pdf.embedFont(StandardFonts.Helvetica);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  for (const { heading, paragraphs } of pages) {
    const page = pdf.addPage(a4);
    page.drawText(heading, { x: margin, y: a4[1] - 82, size: 18, font: bold });
    let y = a4[1] - 117;
    for (const paragraph of paragraphs) {
      for (const line of lines(paragraph, (text) => body.widthOfTextAtSize(text, size) <= a4[0] - 2 * margin)) {
        page.drawText(line, { x: margin, y, size, font: body });
        y -= 16;
      }
      y -= 10;
    }
  }
  return pdf.save();
}

function lines(text: string, fits: (line: string) => boolean): string[] {
  return text.split(" ").reduce<string[]>((done, word) => {
    const longer = `${done.at(-1) ?? ""} ${word}`.trim();
    return done.length > 0 && fits(longer) ? [...done.slice(0, -1), longer] : [...done, word];
  }, []);
}
