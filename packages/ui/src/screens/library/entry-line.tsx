import type { ReactNode } from "react";

export interface EntryLineProps {
  icon: ReactNode;
  name: ReactNode;
  details: string;
  /** What happened and what to do. */
  error: string | null;
  state: ReactNode;
  actions: ReactNode;
}

/** The layout all lines of the document list share. */
export function EntryLine({ icon, name, details, error, state, actions }: EntryLineProps) {
  return (
    <div className="rounded-md px-2 py-2 transition-colors hover:bg-hover/60">
      <div className="flex items-center gap-3">
        <span className="flex size-8 shrink-0 items-center justify-center rounded-md bg-sunken text-ink-muted [&_svg]:size-4">
          {icon}
        </span>
        <div className="min-w-0 flex-1">
          {name}
          {details && <p className="truncate text-sm text-ink-muted">{details}</p>}
        </div>
        {state}
        <div className="flex items-center gap-1">{actions}</div>
      </div>
      {error && <p className="mt-1 ml-11 text-sm text-danger-ink [overflow-wrap:anywhere]">{error}</p>}
    </div>
  );
}
