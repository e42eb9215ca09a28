import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { classNames } from "./class-names.ts";

export type ButtonVariant = "primary" | "secondary" | "quiet" | "danger";
export type ButtonSize = "medium" | "small";

export interface ButtonProps extends ComponentProps<"button"> {
  /** primary: the one thing to do here. quiet: no outline until the pointer is over it. */
  variant?: ButtonVariant;
  size?: ButtonSize;
  /** Drawn before the words. */
  icon?: ReactNode;
  /** The work the button started is running: it shows so and takes no second press. */
  busy?: boolean;
}

const variants: Record<ButtonVariant, string> = {
  primary: "bg-accent text-on-accent enabled:hover:bg-accent-hover",
  secondary: "border border-line-strong/60 bg-surface text-ink enabled:hover:bg-hover",
  quiet: "text-ink enabled:hover:bg-hover",
  danger: "bg-danger text-on-danger enabled:hover:bg-danger-hover",
};

const sizes: Record<ButtonSize, string> = {
  medium: "h-9 gap-2 rounded-md px-3.5 text-base pointer-coarse:h-11",
  small: "h-7 gap-1.5 rounded-md px-2.5 text-sm pointer-coarse:h-9",
};

/** A button with words. */
export function Button({
  variant = "secondary",
  size = "medium",
  icon,
  busy = false,
  className,
  children,
  disabled,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={classNames(
        "inline-flex shrink-0 items-center justify-center font-medium whitespace-nowrap transition-colors select-none",
        "disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
        variants[variant],
        sizes[size],
        className,
      )}
    >
      {busy ? <LoaderCircle aria-hidden="true" className="animate-spin" /> : icon}
      {children}
    </button>
  );
}
