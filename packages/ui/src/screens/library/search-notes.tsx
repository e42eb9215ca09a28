import type { SearchNote } from "@corral/protocol";
import { Info } from "lucide-react";
import { useTranslation } from "react-i18next";

/** Why a way of ranking did not run, or not over everything. */
export function SearchNotes({ notes }: { notes: readonly SearchNote[] }) {
  const words = useNoteWords();
  if (notes.length === 0) return null;
  return (
    <ul className="flex flex-col gap-0.5 text-sm text-ink-muted">
      {notes.map((note) => (
        <li key={note.type} className="flex gap-2">
          <Info aria-hidden="true" className="mt-0.75 size-3.5 shrink-0" />
          <span className="min-w-0 [overflow-wrap:anywhere]">{words(note)}</span>
        </li>
      ))}
    </ul>
  );
}

/** A note of a search as a sentence. */
export function useNoteWords(): (note: SearchNote) => string {
  const { t } = useTranslation("finding");
  return (note) => t(`note.${note.type}`, { ...note, ...("error" in note && { reason: note.error.message }) });
}
