import { classNames } from "./class-names.ts";

export interface StackedBarProps {
  /** What is shown, as a sentence: the bar is a picture to screen readers. */
  label: string;
  parts: { key: string; value: number; className: string }[];
  /** Same unit as the parts: the length of the whole bar. */
  whole: number;
  /** Where the limit stands, same unit; a line across the bar. */
  limit?: number;
  className?: string;
}

/** Parts of a whole, side by side. */
export function StackedBar({ label, parts, whole, limit, className }: StackedBarProps) {
  const percent = (value: number) => `${whole > 0 ? (Math.max(0, value) / whole) * 100 : 0}%`;
  return (
    <div role="img" aria-label={label} className={classNames("relative", className)}>
      <div className="flex h-3 gap-px overflow-hidden rounded-sm bg-line-strong/25">
        {parts
          .filter((part) => part.value > 0)
          .map((part) => (
            <span
              key={part.key}
              className={classNames("h-full", part.className)}
              style={{ width: percent(part.value) }}
            />
          ))}
      </div>
      {limit !== undefined && limit < whole && (
        <span className="absolute -inset-y-1 w-0.5 bg-danger" style={{ left: percent(limit) }} />
      )}
    </div>
  );
}
