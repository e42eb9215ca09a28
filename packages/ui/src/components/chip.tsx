import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "./class-names.ts";

export interface ChipProps {
  icon?: ReactNode;
  children: string;
  onPress?: () => void;
  /** With it the chip can be taken away. */
  onRemove?: () => void;
  /** Shown as chosen. */
  selected?: boolean;
  className?: string;
}

/** A small named thing: an attached collection, a source under an answer. */
export function Chip({ icon, children, onPress, onRemove, selected = false, className }: ChipProps) {
  const { t } = useTranslation("components");
  const body = (
    <>
      {icon}
      <span className="truncate">{children}</span>
    </>
  );
  const inner = "flex min-w-0 items-center gap-1.5 [&_svg]:size-3.5 [&_svg]:shrink-0";
  return (
    <span
      className={classNames(
        "inline-flex h-7 max-w-64 min-w-0 items-center rounded-full border text-sm pointer-coarse:h-9",
        selected ? "border-accent bg-accent-soft text-accent-ink" : "border-line bg-surface text-ink",
        className,
      )}
    >
      {onPress ? (
        <button
          type="button"
          onClick={onPress}
          aria-pressed={selected || undefined}
          className={classNames(
            inner,
            "h-full rounded-full transition-colors hover:bg-hover",
            onRemove ? "pr-1 pl-2.5" : "px-2.5",
          )}
        >
          {body}
        </button>
      ) : (
        <span className={classNames(inner, onRemove ? "pr-1 pl-2.5" : "px-2.5")}>{body}</span>
      )}
      {onRemove && (
        <button
          type="button"
          aria-label={t("chip.remove", { name: children })}
          onClick={onRemove}
          className="mr-0.5 flex size-6 shrink-0 items-center justify-center rounded-full text-ink-muted transition-colors hover:bg-hover hover:text-ink"
        >
          <X aria-hidden="true" className="size-3.5" />
        </button>
      )}
    </span>
  );
}
