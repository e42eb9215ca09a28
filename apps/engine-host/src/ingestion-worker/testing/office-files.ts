import { writeZip, type ZipEntry } from "./zip-writer.ts";

const xml = (body: string) => `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${body}`;
const packageRels = "http://schemas.openxmlformats.org/package/2006/relationships";
const officeRels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** Makes text safe to stand in XML. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** A part that lists how others are found: [id, type, target, external?]. */
export function relationships(list: [string, string, string, boolean?][]): string {
  const items = list.map(
    ([id, type, target, external]) =>
      `<Relationship Id="${id}" Type="${officeRels}/${type}" Target="${escapeXml(target)}"${external ? ' TargetMode="External"' : ""}/>`,
  );
  return xml(`<Relationships xmlns="${packageRels}">${items.join("")}</Relationships>`);
}

export interface Slide {
  title?: string;
  paragraphs?: string[];
  table?: string[][];
  notes?: string;
}

/** A PowerPoint presentation, written as PowerPoint does. */
export function makePptx(slides: Slide[], extra: ZipEntry[] = []): Buffer {
  const a = "http://schemas.openxmlformats.org/drawingml/2006/main";
  const p = "http://schemas.openxmlformats.org/presentationml/2006/main";
  const spaces = `xmlns:a="${a}" xmlns:r="${officeRels}" xmlns:p="${p}"`;
  const paragraph = (text: string) => `<a:p><a:r><a:rPr lang="en-US"/><a:t>${escapeXml(text)}</a:t></a:r></a:p>`;
  const shape = (id: number, kind: string, paragraphs: string[]) =>
    `<p:sp><p:nvSpPr><p:cNvPr id="${id}" name="${kind} ${id}"/><p:cNvSpPr/><p:nvPr><p:ph type="${kind}"/></p:nvPr></p:nvSpPr>` +
    `<p:spPr/><p:txBody><a:bodyPr/><a:lstStyle/>${paragraphs.map(paragraph).join("")}</p:txBody></p:sp>`;
  const table = (rows: string[][]) => {
    const cell = (text: string) =>
      `<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>${paragraph(text)}</a:txBody><a:tcPr/></a:tc>`;
    const trs = rows.map((row) => `<a:tr h="370840">${row.map(cell).join("")}</a:tr>`).join("");
    return (
      `<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="Table 9"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>` +
      `<p:xfrm><a:off x="0" y="5000000"/><a:ext cx="1" cy="1"/></p:xfrm><a:graphic><a:graphicData ` +
      `uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr/><a:tblGrid/>${trs}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>`
    );
  };
  const tree = (body: string) =>
    `<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>${body}</p:spTree></p:cSld>`;
  const entries: ZipEntry[] = [
    { name: "[Content_Types].xml", content: contentTypes },
    { name: "_rels/.rels", content: relationships([["rId1", "officeDocument", "ppt/presentation.xml"]]) },
    {
      name: "ppt/presentation.xml",
      content: xml(
        `<p:presentation ${spaces}><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i + 1}"/>`).join("")}</p:sldIdLst></p:presentation>`,
      ),
    },
    {
      name: "ppt/_rels/presentation.xml.rels",
      content: relationships(slides.map((_, i) => [`rId${i + 1}`, "slide", `slides/slide${i + 1}.xml`])),
    },
  ];
  for (const [i, slide] of slides.entries()) {
    const shapes = [
      slide.title === undefined ? "" : shape(2, "title", [slide.title]),
      slide.paragraphs ? shape(3, "body", slide.paragraphs) : "",
      slide.table ? table(slide.table) : "",
    ];
    entries.push({
      name: `ppt/slides/slide${i + 1}.xml`,
      content: xml(`<p:sld ${spaces}>${tree(shapes.join(""))}</p:sld>`),
    });
    if (slide.notes === undefined) continue;
    entries.push(
      {
        name: `ppt/slides/_rels/slide${i + 1}.xml.rels`,
        content: relationships([["rId1", "notesSlide", `../notesSlides/notesSlide${i + 1}.xml`]]),
      },
      {
        name: `ppt/notesSlides/notesSlide${i + 1}.xml`,
        content: xml(`<p:notes ${spaces}>${tree(shape(3, "body", [slide.notes]))}</p:notes>`),
      },
    );
  }
  return writeZip([...entries, ...extra]);
}

export interface Sheet {
  name: string;
  /** The XML inside `<sheetData>`. */
  rows: string;
  hidden?: boolean;
}

export interface Workbook {
  sheets: Sheet[];
  /** The XML inside `<sst>`. */
  strings?: string;
  /** Number formats of the cell styles, by style index: the id of a built-in format or a format code. */
  formats?: (number | string)[];
  date1904?: boolean;
}

/** An Excel workbook, written as Excel does; the last sheet's part has the first number, as after moving sheets around. */
export function makeXlsx(
  { sheets, strings, formats = [0], date1904 = false }: Workbook,
  extra: ZipEntry[] = [],
): Buffer {
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const part = (i: number) => `worksheets/sheet${sheets.length - i}.xml`;
  const custom = formats.filter((format) => typeof format === "string");
  const idOf = (format: number | string) => (typeof format === "number" ? format : 164 + custom.indexOf(format));
  return writeZip([
    { name: "[Content_Types].xml", content: contentTypes },
    { name: "_rels/.rels", content: relationships([["rId1", "officeDocument", "xl/workbook.xml"]]) },
    {
      name: "xl/workbook.xml",
      content: xml(
        `<workbook xmlns="${main}" xmlns:r="${officeRels}"><workbookPr${date1904 ? ' date1904="1"' : ""}/><sheets>${sheets
          .map(
            (sheet, i) =>
              `<sheet name="${escapeXml(sheet.name)}" sheetId="${i + 1}"${sheet.hidden ? ' state="hidden"' : ""} r:id="rId${i + 1}"/>`,
          )
          .join("")}</sheets></workbook>`,
      ),
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: relationships([
        ...sheets.map((_, i): [string, string, string] => [`rId${i + 1}`, "worksheet", part(i)]),
        ["rId900", "styles", "styles.xml"],
        ["rId901", "sharedStrings", "/xl/sharedStrings.xml"],
      ]),
    },
    {
      name: "xl/styles.xml",
      content: xml(
        `<styleSheet xmlns="${main}"><numFmts>${custom
          .map((code) => `<numFmt numFmtId="${idOf(code)}" formatCode="${escapeXml(code)}"/>`)
          .join(
            "",
          )}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${formats.map((format) => `<xf numFmtId="${idOf(format)}"/>`).join("")}</cellXfs></styleSheet>`,
      ),
    },
    { name: "xl/sharedStrings.xml", content: xml(`<sst xmlns="${main}">${strings ?? ""}</sst>`) },
    ...sheets.map((sheet, i) => ({
      name: `xl/${part(i)}`,
      content: xml(`<worksheet xmlns="${main}"><sheetData>${sheet.rows}</sheetData></worksheet>`),
    })),
    ...extra,
  ]);
}

const contentTypes = xml(
  `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>` +
    `<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>`,
);

const openDocumentSpaces = ["office", "text", "table", "style", "draw", "meta", "presentation"]
  .map((name) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name === "draw" ? "drawing" : name}:1.0"`)
  .join(" ");

/** An OpenDocument file, written as LibreOffice does. `body`: the XML inside `<office:body>`. */
export function makeOpenDocument(
  kind: "text" | "presentation" | "spreadsheet",
  body: string,
  title = "",
  extra: ZipEntry[] = [],
): Buffer {
  const version =
    'office:version="1.3" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"';
  return writeZip([
    { name: "mimetype", content: `application/vnd.oasis.opendocument.${kind}`, stored: true },
    {
      name: "content.xml",
      content: xml(
        `<office:document-content ${openDocumentSpaces} ${version}><office:automatic-styles/><office:body><office:${kind}>${body}</office:${kind}></office:body></office:document-content>`,
      ),
    },
    {
      name: "meta.xml",
      content: xml(
        `<office:document-meta ${openDocumentSpaces} ${version}><office:meta><dc:title>${escapeXml(title)}</dc:title></office:meta></office:document-meta>`,
      ),
    },
    ...extra,
  ]);
}

/** An EPUB book. `chapters`: the XML inside `<body>` of each. */
export function makeEpub(title: string, chapters: string[], extra: ZipEntry[] = []): Buffer {
  return writeZip([
    { name: "mimetype", content: "application/epub+zip", stored: true },
    {
      name: "META-INF/container.xml",
      content: xml(
        `<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
      ),
    },
    {
      name: "OEBPS/content.opf",
      content: xml(
        `<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escapeXml(title)}</dc:title></metadata><manifest>${chapters
          .map((_, i) => `<item id="c${i}" href="c${i}.xhtml" media-type="application/xhtml+xml"/>`)
          .join("")}</manifest><spine>${chapters.map((_, i) => `<itemref idref="c${i}"/>`).join("")}</spine></package>`,
      ),
    },
    ...chapters.map((chapter, i) => ({
      name: `OEBPS/c${i}.xhtml`,
      content: xml(
        `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${chapter}</body></html>`,
      ),
    })),
    ...extra,
  ]);
}
