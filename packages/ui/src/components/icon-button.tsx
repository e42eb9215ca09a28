import type { ComponentProps, ReactNode } from "react";
import { classNames } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

export interface IconButtonProps extends Omit<ComponentProps<"button">, "aria-label" | "title"> {
  /** What the button does: its name for screen readers and its tooltip. */
  label: string;
  icon: ReactNode;
  size?: "medium" | "small";
  variant?: "quiet" | "primary" | "danger";
  /** No tooltip, where the words stand beside the button anyway or it opens a menu at once. */
  plain?: boolean;
}

const variants = {
  quiet:
    "text-ink-muted enabled:hover:bg-hover enabled:hover:text-ink aria-pressed:bg-accent-soft aria-pressed:text-accent-ink",
  primary: "bg-accent text-on-accent enabled:hover:bg-accent-hover",
  danger: "text-ink-muted enabled:hover:bg-danger-soft enabled:hover:text-danger-ink",
};

/** A button that is only an icon; its name shows as a tooltip. */
export function IconButton({
  label,
  icon,
  size = "medium",
  variant = "quiet",
  plain = false,
  className,
  type = "button",
  ...rest
}: IconButtonProps) {
  const button = (
    <button
      {...rest}
      type={type}
      aria-label={label}
      className={classNames(
        "inline-flex shrink-0 items-center justify-center rounded-md transition-colors",
        "disabled:cursor-not-allowed disabled:opacity-45 data-[state=open]:bg-hover",
        size === "medium"
          ? "size-9 pointer-coarse:size-11 [&_svg]:size-[1.125rem]"
          : "size-7 pointer-coarse:size-9 [&_svg]:size-4",
        variants[variant],
        className,
      )}
    >
      {icon}
    </button>
  );
  return plain ? button : <Tooltip label={label}>{button}</Tooltip>;
}
