import type { ReactNode } from "react";

export interface EmptyStateProps {
  icon: ReactNode;
  title: string;
  /** What would be here, and how it gets here. */
  children: ReactNode;
  action?: ReactNode;
  /** It is all there is on the screen, and so its title is the screen's. */
  whole?: boolean;
}

/** Nothing here yet, and what to do about it. */
export function EmptyState({ icon, title, children, action, whole = false }: EmptyStateProps) {
  const Heading = whole ? "h1" : "h2";
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-6 py-12 text-center">
      <span
        aria-hidden="true"
        className="flex size-12 items-center justify-center rounded-xl bg-accent-soft text-accent-ink [&_svg]:size-6"
      >
        {icon}
      </span>
      <Heading className="text-lg font-semibold text-balance">{title}</Heading>
      <div className="text-ink-muted text-pretty">{children}</div>
      {action && <div className="mt-1 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
