import { Progress } from "radix-ui";
import { classNames } from "./class-names.ts";

export interface ProgressBarProps {
  /** What is under way, for screen readers. */
  label: string;
  /** 0..1; null: under way, end unknown. */
  value: number | null;
  className?: string;
}

/** How far a piece of work is. */
export function ProgressBar({ label, value, className }: ProgressBarProps) {
  const share = value === null ? null : Math.min(1, Math.max(0, value));
  return (
    <Progress.Root
      aria-label={label}
      value={share === null ? null : Math.round(share * 100)}
      max={100}
      className={classNames("h-1.5 overflow-hidden rounded-full bg-line-strong/35", className)}
    >
      {share === null ? (
        <Progress.Indicator className="block h-full w-1/3 animate-sweep rounded-full bg-accent" />
      ) : (
        <Progress.Indicator
          className="block h-full origin-left rounded-full bg-accent transition-transform"
          style={{ transform: `scaleX(${share})` }}
        />
      )}
    </Progress.Root>
  );
}
