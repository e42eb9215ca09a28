import { Parser } from "htmlparser2";
import { ParseFailure } from "./parse-failure.ts";

/** No office file nests this deep, and the parser's time grows with the square of it. */
const maxDepth = 1000;

/** Called while XML is read; names come without their namespace prefix. */
export interface XmlEvents {
  open?(name: string, attributes: Record<string, string>): void;
  close?(name: string): void;
  text?(text: string): void;
}

/**
 * Reads XML piece by piece. Entities that the file itself declares are not expanded, and nothing outside the file is
 * loaded. Attributes keep their prefix.
 * @throws ParseFailure when elements nest too deep
 */
export class XmlReader {
  readonly #parser: Parser;
  readonly #decoder = new TextDecoder();
  #depth = 0;

  constructor(events: XmlEvents) {
    this.#parser = new Parser(
      {
        onopentag: (name, attributes) => {
          if (++this.#depth > maxDepth) throw new ParseFailure({ kind: "limit", limit: "output" });
          events.open?.(localName(name), attributes);
        },
        onclosetag: (name) => {
          this.#depth--;
          events.close?.(localName(name));
        },
        ontext: (text) => events.text?.(text),
      },
      { xmlMode: true, decodeEntities: true },
    );
  }

  write(piece: Uint8Array): void {
    this.#parser.write(this.#decoder.decode(piece, { stream: true }));
  }

  end(): void {
    this.#parser.end();
  }
}

/** Reads a whole XML part. */
export async function readXml(pieces: AsyncIterable<Uint8Array>, events: XmlEvents): Promise<void> {
  const reader = new XmlReader(events);
  for await (const piece of pieces) reader.write(piece);
  reader.end();
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
