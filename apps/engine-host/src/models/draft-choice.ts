import { CorralError } from "@corral/protocol";
import { canDraftFor } from "../planning/draft.ts";
import type { LibraryModel } from "./model-library.ts";

/** Small models of the same vocabulary that could guess tokens for a model. */
export interface Drafts {
  /** The one the owner chose; null: none. */
  chosen: LibraryModel | null;
  /** Those that are here, smallest first. */
  offers: readonly LibraryModel[];
}

/** @param chosen id of the model the owner chose */
export function draftsFor(model: LibraryModel, library: readonly LibraryModel[], chosen: string | undefined): Drafts {
  const able = library.filter((other) => isDraftFor(other, model));
  const bySize = able.toSorted((a, b) => (a.header?.shape.parameters ?? 0) - (b.header?.shape.parameters ?? 0));
  return { chosen: able.find(({ id }) => id === chosen) ?? null, offers: bySize };
}

/** @throws CorralError INVALID_INPUT */
export function refuseNoDraft(draft: LibraryModel, model: LibraryModel): void {
  if (isDraftFor(draft, model)) return;
  const reason = `${draft.name} cannot guess tokens for ${model.name}: that takes a model of the same family and vocabulary with at most a quarter of its parameters.`;
  throw new CorralError("INVALID_INPUT", reason, { field: "draftModels", reason });
}

function isDraftFor(draft: LibraryModel, model: LibraryModel): boolean {
  const [small, large] = [draft.header, model.header];
  if (!small || !large || draft.embedded || draft.isAbsent || model.embedded) return false;
  if (small.purpose !== "generate" || large.purpose !== "generate") return false;
  return canDraftFor(small.shape, large.shape);
}
