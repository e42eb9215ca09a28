import { basename, dirname, join } from "node:path";
import { GgufProblem, type GgufContents } from "./gguf-parser.ts";

/** Where a file stands among the parts of a split model. */
export interface SplitPlace {
  /** From 0. */
  index: number;
  count: number;
}

/** More parts than any model is published in, so that a header cannot make us open thousands of files. */
const mostParts = 256;
/** As llama.cpp's gguf-split names them, and the only names under which llama.cpp finds the other parts. */
const partName = /-(\d{5})-of-(\d{5})\.gguf$/;

/** Null for a file that is whole. @throws GgufProblem when the header contradicts itself */
export function splitPlaceOf({ metadata }: GgufContents): SplitPlace | null {
  const count = metadata.get("split.count");
  if (count === undefined || count === 0 || count === 1) return null;
  const index = metadata.get("split.no");
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > mostParts) {
    throw new GgufProblem(`claims to be split into an impossible number of parts (at most ${mostParts} are read)`);
  }
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) {
    throw new GgufProblem("is part of a split model, but does not say which (split.no)");
  }
  return { index, count };
}

/**
 * The paths of all parts, given the first.
 * @throws GgufProblem when it is not the first, or not named as llama.cpp needs it
 */
export function partPaths(first: string, { index, count }: SplitPlace): string[] {
  const nameOf = (part: number) => `-${String(part + 1).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.gguf`;
  if (index !== 0) {
    const name = basename(first).replace(partName, nameOf(0));
    throw new GgufProblem(`is part ${index + 1} of ${count} of a split model; choose the first part, ${name}, instead`);
  }
  if (!first.endsWith(nameOf(0))) {
    throw new GgufProblem(
      `is the first of ${count} parts of a split model, so its name must end in ${nameOf(0)}; rename the parts as they were published`,
    );
  }
  const stem = basename(first).slice(0, -nameOf(0).length);
  return Array.from({ length: count }, (_, part) => join(dirname(first), stem + nameOf(part)));
}

/**
 * One description of all parts: metadata of the first, tensors of all.
 * @throws GgufProblem when they do not belong together
 */
export function joinParts(parts: readonly GgufContents[]): GgufContents {
  const [first] = parts;
  if (!first) throw new Error("There is always a first part.");
  for (const [index, part] of parts.entries()) {
    const place = splitPlaceOf(part);
    if (place?.index !== index || place.count !== parts.length) {
      throw new GgufProblem(`does not belong to its other parts: part ${index + 1} says it is another one`);
    }
  }
  const tensors = parts.flatMap((part) => part.tensors);
  if (new Set(tensors.map(({ name }) => name)).size !== tensors.length) {
    throw new GgufProblem("does not belong to its other parts: a tensor is in two of them");
  }
  const declared = first.metadata.get("split.tensors.count");
  if (typeof declared === "number" && declared !== tensors.length) {
    throw new GgufProblem(
      `has ${tensors.length} tensors in its parts instead of ${declared}; a part is another model's`,
    );
  }
  return { ...first, tensors };
}
