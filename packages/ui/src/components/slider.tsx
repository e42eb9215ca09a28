import { Slider as Primitive } from "radix-ui";
import { useId, type ReactNode } from "react";

export interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onValueChange: (value: number) => void;
  /** When the hand lets go: the moment to save. */
  onValueCommit?: (value: number) => void;
  /** The value as a person reads it. */
  format?: (value: number) => string;
  hint?: ReactNode;
  disabled?: boolean;
}

/** A number in a range. */
export function Slider({
  label,
  value,
  min,
  max,
  step,
  onValueChange,
  onValueCommit,
  format,
  hint,
  disabled,
}: SliderProps) {
  const id = useId();
  const shown = format ? format(value) : String(value);
  return (
    <div>
      <div className="mb-1 flex justify-between gap-3 text-sm">
        <span id={id} className="font-medium">
          {label}
        </span>
        <span className="text-ink-muted tabular-nums">{shown}</span>
      </div>
      <Primitive.Root
        value={[value]}
        min={min}
        max={max}
        step={step}
        disabled={disabled ?? false}
        onValueChange={([next]) => next !== undefined && onValueChange(next)}
        {...(onValueCommit && { onValueCommit: ([next]: number[]) => next !== undefined && onValueCommit(next) })}
        className="relative flex h-6 touch-none items-center select-none data-disabled:opacity-55 pointer-coarse:h-9"
      >
        <Primitive.Track className="relative h-1.5 flex-1 rounded-full bg-line-strong/45">
          <Primitive.Range className="absolute h-full rounded-full bg-accent" />
        </Primitive.Track>
        <Primitive.Thumb
          aria-labelledby={id}
          aria-valuetext={shown}
          {...(hint ? { "aria-describedby": `${id}-hint` } : {})}
          className="block size-4.5 rounded-full border-2 border-accent bg-surface shadow-raised"
        />
      </Primitive.Root>
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-ink-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
