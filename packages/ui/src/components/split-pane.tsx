import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "./class-names.ts";

export interface SplitPaneProps {
  /** Fills what is left. */
  main: ReactNode;
  /** The pane on the right; null: there is none, `main` has all the room. */
  side: ReactNode | null;
  /** Names the divider: "Width of the source panel". */
  label: string;
  /** Names the pane on the right: "Source". */
  sideLabel: string;
  /** Width of `side`, CSS pixels. */
  initialWidth?: number;
  /** Told when the divider comes to rest. */
  onWidthChange?: (width: number) => void;
  minWidth?: number;
  /** What `main` keeps at least. */
  minMainWidth?: number;
  className?: string;
}

/** Pixels one press of an arrow key moves the divider. */
const step = 24;

/**
 * Two panes with a divider that pointer and arrow keys move (no Radix primitive exists for it; role and keys follow the ARIA
 * window splitter pattern). Below 768 px there is no room for two: `side` then covers `main`.
 */
export function SplitPane({
  main,
  side,
  label,
  sideLabel,
  initialWidth = 480,
  onWidthChange,
  minWidth = 320,
  minMainWidth = 360,
  className,
}: SplitPaneProps) {
  const { t } = useTranslation("components");
  const root = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(initialWidth);
  // What `width` will be once it is drawn.
  const latest = useRef(initialWidth);
  const [dragging, setDragging] = useState(false);

  const limit = () => Math.max(minWidth, (root.current?.clientWidth ?? Number.POSITIVE_INFINITY) - minMainWidth);
  const resize = (wanted: number) => {
    latest.current = Math.round(Math.min(limit(), Math.max(minWidth, wanted)));
    setWidth(latest.current);
  };

  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!dragging || !root.current) return;
    resize(root.current.getBoundingClientRect().right - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => resize(width + step),
      ArrowRight: () => resize(width - step),
      Home: () => resize(limit()),
      End: () => resize(minWidth),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
    onWidthChange?.(latest.current);
  };

  return (
    <div ref={root} className={classNames("relative flex min-h-0 min-w-0", dragging && "select-none", className)}>
      <div className="min-w-0 flex-1">{main}</div>
      {side !== null && (
        <aside aria-label={sideLabel} className="contents">
          <div
            role="separator"
            aria-orientation="vertical"
            aria-label={label}
            aria-valuenow={width}
            aria-valuemin={minWidth}
            aria-valuetext={t("splitPane.width", { width })}
            tabIndex={0}
            onKeyDown={onKeyDown}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              setDragging(true);
            }}
            onPointerMove={drag}
            onPointerUp={() => {
              setDragging(false);
              onWidthChange?.(latest.current);
            }}
            onPointerCancel={() => setDragging(false)}
            className={classNames(
              "relative z-10 w-px shrink-0 cursor-col-resize touch-none bg-line transition-colors hover:bg-accent max-md:hidden",
              "after:absolute after:inset-y-0 after:-left-1.5 after:w-3.25",
              dragging && "bg-accent",
            )}
          />
          <div
            className="min-w-0 max-md:absolute max-md:inset-0 max-md:z-20 max-md:w-full! md:max-w-[calc(100%-20rem)] md:shrink-0"
            style={{ width }}
          >
            {side}
          </div>
        </aside>
      )}
    </div>
  );
}
