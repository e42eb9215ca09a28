import { PDFDocument, StandardFonts } from "pdf-lib";

/** A PDF with one page for each text; its lines begin 72 points from the left. */
export async function makePdf(pages: string[]): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const text of pages) {
    const page = document.addPage([595, 842]);
    text.split("\n").forEach((line, i) => page.drawText(line, { x: 72, y: 760 - 14 * i, size: 11, font }));
  }
  return document.save();
}

/**
 * A PDF that takes the worker some seconds though it is made at once: every page shows the same content. `mark` makes
 * files of different content.
 */
export function longPdf(mark = "", pages = 3000): Buffer {
  const lines = Array.from(
    { length: 45 },
    (_, i) => `(Line ${i} says the same on every page of this long document.) Tj T*`,
  );
  const content = `BT /F1 11 Tf 14 TL 72 780 Td ${lines.join(" ")} ET`;
  const kids = Array.from({ length: pages }, (_, i) => `${i + 5} 0 R`).join(" ");
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages} /Kids [${kids}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    `<< /Length ${content.length} >> stream\n${content}\nendstream`,
    ...Array<string>(pages).fill(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>",
    ),
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj ${object} endobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`;
  return Buffer.from(
    `${text}${table}trailer << /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n%${mark}`,
  );
}
