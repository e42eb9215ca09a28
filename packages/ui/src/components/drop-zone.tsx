import { FileDown } from "lucide-react";
import { useRef, useState, type DragEvent, type ReactNode } from "react";
import { classNames } from "./class-names.ts";
import { droppedFiles } from "./dropped-files.ts";

export interface DropZoneProps {
  /** What letting go would do: "Add to “Contracts”". */
  label: string;
  onFiles: (files: File[]) => void;
  /** Folders are replaced by the files below them. Without it they arrive as they are, for a caller that takes paths. */
  openFolders?: boolean;
  disabled?: boolean;
  className?: string;
  children: ReactNode;
}

/** A part of the window that takes files; shows so while files hang over it. Always pair it with a button: a drag is no keyboard. */
export function DropZone({
  label,
  onFiles,
  openFolders = false,
  disabled = false,
  className,
  children,
}: DropZoneProps) {
  const [over, setOver] = useState(false);
  // Entering a child fires before leaving its parent, so only the count tells whether the pointer is still inside.
  const depth = useRef(0);

  const bringsFiles = (event: DragEvent) => !disabled && event.dataTransfer.types.includes("Files");
  /** The browser shall not open the file, and a zone around this one shall not take it too. */
  const takeOver = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className={classNames("relative", className)}
      onDragEnter={(event) => {
        if (!bringsFiles(event)) return;
        takeOver(event);
        depth.current += 1;
        setOver(true);
      }}
      onDragOver={(event) => {
        if (!bringsFiles(event)) return;
        takeOver(event);
        event.dataTransfer.dropEffect = "copy";
      }}
      onDragLeave={(event) => {
        if (!bringsFiles(event)) return;
        event.stopPropagation();
        depth.current = Math.max(0, depth.current - 1);
        if (depth.current === 0) setOver(false);
      }}
      onDrop={(event) => {
        if (!bringsFiles(event)) return;
        takeOver(event);
        depth.current = 0;
        setOver(false);
        const take = (files: File[]) => {
          if (files.length > 0) onFiles(files);
        };
        if (openFolders) void droppedFiles(event.dataTransfer).then(take);
        else take([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-2 z-30 flex animate-appear items-center justify-center rounded-xl border-2 border-dashed border-accent bg-accent-soft/92">
          <p className="flex items-center gap-3 px-4 text-lg font-semibold text-accent-ink">
            <FileDown aria-hidden="true" className="size-6" />
            {label}
          </p>
        </div>
      )}
    </div>
  );
}
