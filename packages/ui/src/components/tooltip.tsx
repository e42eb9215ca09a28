import { Tooltip as Primitive } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

export interface TooltipProps {
  label: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  /** The one element that is explained; it must take a ref and can be focused. */
  children: ReactElement;
}

/** A short explanation that shows on hover and on keyboard focus. Never the only place for what must be read. */
export function Tooltip({ label, side = "top", children }: TooltipProps) {
  return (
    <Primitive.Provider delayDuration={500} skipDelayDuration={200}>
      <Primitive.Root>
        <Primitive.Trigger asChild>{children}</Primitive.Trigger>
        <Primitive.Portal>
          <Primitive.Content
            side={side}
            sideOffset={6}
            collisionPadding={8}
            className="z-50 max-w-72 animate-appear rounded-md bg-ink px-2 py-1 text-xs text-canvas shadow-raised select-none"
          >
            {label}
          </Primitive.Content>
        </Primitive.Portal>
      </Primitive.Root>
    </Primitive.Provider>
  );
}
