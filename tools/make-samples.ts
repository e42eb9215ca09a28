import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Document, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow } from "docx";
import { PDFDocument, type PDFFont, type PDFPage, StandardFonts } from "pdf-lib";

/**
 * Makes the sample documents of the demo in resources/samples. Everything in them is invented. Run after changing the text:
 *
 *     node tools/make-samples.ts
 */
const directory = fileURLToPath(new URL("../resources/samples", import.meta.url));
/** Fixed, so that the same text gives the same files. */
const madeOn = new Date("2026-01-15T09:00:00Z");

const handbook: { heading: string; paragraphs: string[] }[] = [
  {
    heading: "Northgate Observatory: Visitor and Staff Handbook",
    paragraphs: [
      "Northgate Observatory stands on a ridge above the village of Ashby, 640 metres above the sea. It was founded in 1931 by the amateur astronomer Edith Marlow, who paid for the first dome with the sale of her orchard. The trust that runs it today employs eleven people and is helped by about sixty volunteers.",
      "The main instrument is the Marlow Telescope, a reflector with a mirror of 1.2 metres that was recoated in 2019. Two smaller refractors in the east dome are used for school groups and for the public evenings on the first Friday of every month.",
      "This handbook explains how the site is run from day to day. It is read by new members of staff in their first week, and a printed copy lies at the front desk. The warden, Tomas Ferreira, keeps it up to date and is glad of corrections.",
    ],
  },
  {
    heading: "Opening hours and visitors",
    paragraphs: [
      "The visitor centre is open from Wednesday to Sunday between ten in the morning and five in the afternoon. It is closed in the last two weeks of January, when the floors are sealed. The observing domes are closed to visitors whenever the wind is stronger than 50 kilometres per hour.",
      "An adult ticket costs nine pounds, and children under twelve come in free. Groups of more than fifteen people must book at least ten days ahead, because the east dome holds no more than twenty people at a time. School groups pay a fixed price of eighty pounds, which includes a guide for two hours.",
      "Dogs are welcome on the grounds but not inside the domes, as their hair settles on the mirrors. White torches may not be used after dusk; the front desk lends red ones against a deposit of five pounds.",
    ],
  },
  {
    heading: "Safety",
    paragraphs: [
      "The fire extinguishers are checked every March by the Halden company, and the date of the check is written on the green tag. The fire alarm is tested on the first Monday of the month at eleven o'clock. When it sounds at any other time, everyone leaves the building at once and gathers at the stone bench beside the car park.",
      "Nobody works in the main dome alone. Before the dome is turned, the operator calls out twice and waits for an answer from everyone inside. The key of the electrical cabinet hangs behind the warden's desk and may be used only by people who have done the two-day course.",
      "Liquid nitrogen for the camera is stored in the lower shed. Whoever fills the flask wears the face shield and the long gloves, and opens the shed door for at least five minutes first. Burns by cold are treated with lukewarm water, never with hot water.",
    ],
  },
  {
    heading: "Booking the telescope",
    paragraphs: [
      "Time on the Marlow Telescope is given out four times a year. Proposals are sent to the time committee no later than six weeks before the quarter begins, and the committee answers within ten days. A proposal has at most two pages and names the targets, the filters and the number of nights.",
      "A quarter of all nights is kept for students of the University of Ashby. Nights that are lost to clouds are not repeated, except for targets that can be seen only once, such as eclipses. Whoever cannot use a night gives it back to the night assistant before noon.",
      "Observers write the log before they leave. The data are copied to the archive every morning at seven and belong to the observer alone for twelve months; after that everybody may use them.",
    ],
  },
];

const contract: { heading: string; paragraphs: string[] }[] = [
  {
    heading: "1. Parties and subject",
    paragraphs: [
      "This agreement is made between the Northgate Observatory Trust, called the Trust, and Brightwater Cleaning, called the Contractor. The Contractor cleans the visitor centre, the offices and the lower shed of the observatory.",
      "The mirrors, lenses and cameras are not part of this agreement, and the Contractor's staff do not touch them.",
    ],
  },
  {
    heading: "2. Term and notice",
    paragraphs: [
      "The agreement begins on 1 April 2026 and runs for two years. Either side may end it with a notice of three months, in writing, to the end of a quarter.",
      "The Trust may end it at once when the Contractor has been warned twice within six months.",
    ],
  },
  {
    heading: "3. Price and payment",
    paragraphs: [
      "The Trust pays 1,450 pounds a month. Invoices are due within thirty days. The price may rise once a year, on 1 April, by no more than three per cent.",
      "Windows are cleaned twice a year, in May and in October, and are invoiced separately at 380 pounds each time.",
    ],
  },
];

const notes = `# Notes for the night assistant

Short notes that are too small for the handbook. Newest first.

## The dome motor

The dome motor hums when it is cold. Let it warm up for ten minutes before the first turn; below minus eight degrees
the dome is not turned at all. The spare fuse is taped to the inside of the grey door.

## Coffee, heating and keys

- The kitchen is shared with the school groups. Leave it clean before nine in the morning.
- The heating of the control room switches itself off at midnight. The red button turns it on for another two hours.
- The key of the main dome is signed out in the blue book.

## Whom to call

The warden is called first, by day and by night. If he does not answer within fifteen minutes, call Ingrid Solberg, who
lives in the village and can be at the observatory in ten minutes.
`;

/** The first one is what `corral demo` asks. */
const questions = [
  "Who checks the fire extinguishers?",
  "How much does an adult ticket cost?",
  "When was the observatory founded?",
  "What does the Trust pay a month for cleaning?",
  "Whom do I call if the warden does not answer?",
];

await mkdir(directory, { recursive: true });
await writeFile(join(directory, "observatory-handbook.pdf"), await makePdf());
await writeFile(join(directory, "cleaning-contract.docx"), await makeDocx());
await writeFile(join(directory, "night-assistant-notes.md"), notes);
await writeFile(join(directory, "../sample-questions.txt"), `${questions.join("\n")}\n`);

async function makePdf(): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  pdf.setTitle("Northgate Observatory: Visitor and Staff Handbook");
  pdf.setCreationDate(madeOn);
  pdf.setModificationDate(madeOn);
  const body = await pdf.embedFont(StandardFonts.TimesRoman);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  handbook.forEach(({ heading, paragraphs }, index) => {
    const page = pdf.addPage([595, 842]);
    let top = write(page, heading, { font: bold, size: 18, top: 760, leading: 24 }) - 12;
    for (const paragraph of paragraphs) top = write(page, paragraph, { font: body, size: 12, top, leading: 17 }) - 10;
    page.drawText(`${index + 1}`, { x: 293, y: 40, size: 10, font: body });
  });
  return pdf.save();
}

/** Writes wrapped text and answers the height below it. Points, origin bottom left. */
function write(
  page: PDFPage,
  text: string,
  style: { font: PDFFont; size: number; top: number; leading: number },
): number {
  const { font, size, leading } = style;
  let top = style.top;
  let line = "";
  const flush = () => {
    page.drawText(line, { x: 72, y: top, size, font });
    top -= leading;
  };
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (font.widthOfTextAtSize(longer, size) > 451) {
      flush();
      line = word;
    } else line = longer;
  }
  flush();
  return top;
}

async function makeDocx(): Promise<Uint8Array> {
  const sections = contract.flatMap(({ heading, paragraphs }) => [
    new Paragraph({ text: heading, heading: HeadingLevel.HEADING_1 }),
    ...paragraphs.map((text) => new Paragraph({ text })),
  ]);
  const rows = [
    ["Area", "How often"],
    ["Visitor centre", "every day it is open"],
    ["Offices", "twice a week"],
    ["Lower shed", "once a month"],
  ];
  const table = new Table({
    rows: rows.map(
      (cells) => new TableRow({ children: cells.map((text) => new TableCell({ children: [new Paragraph(text)] })) }),
    ),
  });
  const title = new Paragraph({ text: "Cleaning agreement", heading: HeadingLevel.TITLE });
  const schedule = new Paragraph({ text: "4. How often", heading: HeadingLevel.HEADING_1 });
  const file = new Document({
    title: "Cleaning agreement",
    creator: "Northgate Observatory Trust",
    sections: [{ children: [title, ...sections, schedule, table] }],
  });
  return Packer.toBuffer(file);
}
