import { ChevronLeft, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "../../components/icon-button.tsx";

export interface StepperProps {
  previous: string;
  next: string;
  /** Null: this is the first. */
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
  /** Where one is. */
  children: ReactNode;
}

/** One back, where one is, one on. The ends stay focusable, so that the focus is not lost on reaching one. */
export function Stepper({ previous, next, onPrevious, onNext, children }: StepperProps) {
  const end = "aria-disabled:cursor-not-allowed aria-disabled:opacity-45 aria-disabled:hover:bg-transparent!";
  return (
    <div className="-ml-1 flex items-center gap-0.5 text-sm text-ink-muted tabular-nums">
      <IconButton
        size="small"
        label={previous}
        icon={<ChevronLeft aria-hidden="true" />}
        aria-disabled={onPrevious === null}
        onClick={() => onPrevious?.()}
        className={end}
      />
      <span aria-live="polite" className="max-w-72 truncate">
        {children}
      </span>
      <IconButton
        size="small"
        label={next}
        icon={<ChevronRight aria-hidden="true" />}
        aria-disabled={onNext === null}
        onClick={() => onNext?.()}
        className={end}
      />
    </div>
  );
}
