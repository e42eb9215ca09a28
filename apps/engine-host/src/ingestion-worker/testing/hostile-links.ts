import { Document, ExternalHyperlink, Packer, Paragraph, TextRun } from "docx";
import { escapeXml, makeEpub, makeOpenDocument, makePptx, makeXlsx, relationships } from "./office-files.ts";
import type { HostileFile } from "./hostile-file.ts";
import { writeZip } from "./zip-writer.ts";

/** Files that refer to what they have no business with: `targets` are addresses of other files and servers (T-31). */
export async function makeHostileLinks(targets: string[]): Promise<HostileFile[]> {
  const read = (name: string, bytes: Buffer): HostileFile => ({ name, bytes, outcome: "read" });
  const asXml = targets.map(escapeXml);
  const pictures = (type: string) => relationships(targets.map((target, i) => [`rId${900 + i}`, type, target, true]));
  const drawings = asXml
    .map((target) => `<draw:frame><draw:image xlink:href="${target}" xlink:actuate="onLoad"/></draw:frame>`)
    .join("");
  const html = asXml
    .map(
      (target) =>
        `<img src="${target}"><link rel="stylesheet" href="${target}"><iframe src="${target}"></iframe><object data="${target}"></object>` +
        `<embed src="${target}"><video src="${target}"></video><script src="${target}"></script><base href="${target}">`,
    )
    .join("");
  const declared = asXml.map(
    (target, i) => `<!ENTITY e${i} SYSTEM "${target}"><!ENTITY % p${i} SYSTEM "${target}">%p${i};`,
  );
  const entities = `<!DOCTYPE x [${declared.join("")}]>`;
  const used = asXml.map((_, i) => `&e${i};`).join("");
  const word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const drawing = "http://schemas.openxmlformats.org/drawingml/2006/main";
  const blips = targets.map((_, i) => `<w:r><w:drawing><a:blip r:link="rId${900 + i}"/></w:drawing></w:r>`).join("");

  return [
    read("links.docx", await wordLinks(targets)),
    read(
      "pictures.docx",
      writeZip([
        { name: "[Content_Types].xml", content: "<Types/>" },
        {
          name: "word/document.xml",
          content: `<w:document xmlns:w="${word}" xmlns:r="${office}" xmlns:a="${drawing}"><w:body><w:p><w:r><w:t>Text</w:t></w:r>${blips}</w:p></w:body></w:document>`,
        },
        { name: "word/_rels/document.xml.rels", content: pictures("image") },
        { name: "word/_rels/settings.xml.rels", content: pictures("attachedTemplate") },
      ]),
    ),
    read(
      "pictures.pptx",
      makePptx([{ title: "Slide" }], [{ name: "ppt/slides/_rels/slide1.xml.rels", content: pictures("image") }]),
    ),
    read(
      "links.xlsx",
      makeXlsx(
        { sheets: [{ name: "S", rows: `<row><c t="str"><f>WEBSERVICE("${asXml[0]}")</f><v>value</v></c></row>` }] },
        [
          { name: "xl/externalLinks/_rels/externalLink1.xml.rels", content: pictures("externalLinkPath") },
          { name: "xl/worksheets/_rels/sheet1.xml.rels", content: pictures("hyperlink") },
        ],
      ),
    ),
    read("pictures.odt", makeOpenDocument("text", `<text:p>Text</text:p>${drawings}`)),
    read(
      "entities.odt",
      writeZip([
        {
          name: "content.xml",
          content: `${entities}<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text><text:p>Text ${used}</text:p></office:text></office:body></office:document-content>`,
        },
      ]),
    ),
    read("entities.epub", makeEpub("Book", [`${entities}<p>Text ${used}</p>${html}`])),
    read(
      "links.html",
      Buffer.from(`${entities}<meta http-equiv="refresh" content="0;url=${asXml[0]}"><p>Text ${used}</p>${html}`),
    ),
    read(
      "links.md",
      Buffer.from(
        `Text\n\n${targets.map((target) => `![x](${target}) [y](<${target}>) <img src="${target}">`).join("\n")}`,
      ),
    ),
    read(
      "links.svg",
      Buffer.from(
        `${entities}<svg><text>Text ${used}</text>${asXml.map((target) => `<image href="${target}"/>`).join("")}</svg>`,
      ),
    ),
    read(
      "links.rtf",
      Buffer.from(
        `{\\rtf1 Text ${targets.map((target) => `{\\field{\\*\\fldinst INCLUDEPICTURE "${target.replaceAll("\\", "\\\\")}"}{\\fldrslt x}}`).join("")}}`,
      ),
    ),
    read(
      "links.eml",
      Buffer.from(
        `Subject: x\r\nContent-Type: message/external-body; access-type=local-file; name="${targets[0]}"\r\n\r\nContent-Type: text/plain\r\n\r\n\r\n`,
      ),
    ),
  ];
}

async function wordLinks(targets: string[]): Promise<Buffer> {
  const link = (target: string) => new ExternalHyperlink({ link: target, children: [new TextRun("a link")] });
  return Packer.toBuffer(
    new Document({ sections: [{ children: targets.map((target) => new Paragraph({ children: [link(target)] })) }] }),
  );
}
