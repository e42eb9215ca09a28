import { describe, expect, it } from "vitest";
import { StopTexts } from "./stop-texts.ts";

function write(pieces: string[], stops: string[]) {
  const texts = new StopTexts(stops);
  const out = pieces.map((piece) => texts.push(piece));
  return { out: [...out, texts.end()], found: texts.found };
}

describe("stop texts", () => {
  it("end a text before them, and hold back only what may begin one", () => {
    const { out, found } = write(["Hello ", "<|", "end", "|>", " more"], ["<|end|>"]);
    expect(out).toEqual(["Hello ", "", "", "", "", ""]);
    expect(found).toBe("<|end|>");
    expect(write(["a ", "<|en", " joy"], ["<|end|>"])).toEqual({ out: ["a ", "", "<|en joy", ""], found: null });
    expect(write(["a ", "<|"], ["<|end|>"]).out.join("")).toBe("a <|");
  });

  it("are found wherever a text is cut", () => {
    const text = "one STOP two END three";
    for (let cut = 0; cut <= text.length; cut++) {
      for (let next = cut; next <= text.length; next += 3) {
        const { out, found } = write(
          [text.slice(0, cut), text.slice(cut, next), text.slice(next)],
          ["END", "STOP", "STO"],
        );
        expect(out.join("")).toBe("one ");
        expect(found).toMatch(/^STOP?$/);
      }
    }
  });

  it("tell the one that stands first, and of two at one place the longer", () => {
    expect(write(["a END b STOP"], ["STOP", "END"]).found).toBe("END");
    expect(write(["x STOPPED"], ["STOP", "STOPPED"]).found).toBe("STOPPED");
  });

  it("that are empty stop nothing", () => {
    expect(write(["a", "b"], [""])).toEqual({ out: ["a", "b", ""], found: null });
  });
});
