import type { FitCell, FitMatrix as Matrix, PrecisionTier } from "@corral/protocol";
import { Check, HardDrive, Star, X, type LucideIcon } from "lucide-react";
import { useId, useRef, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "../../components/class-names.ts";
import { Tooltip } from "../../components/tooltip.tsx";
import type { ModelAndTier } from "../../stores/planning-store.ts";
import { cellLabel, cellSentences, gigabytes, size, count } from "./plan-words.ts";

interface FitMatrixProps {
  matrix: Matrix;
  /** The cell whose plan is shown. */
  shown: ModelAndTier | null;
  onChoose: (cell: ModelAndTier) => void;
  /** What the machine is called. */
  label: string;
}

const tiers: readonly PrecisionTier[] = ["BF16", "FP8", "INT4"];
/** Models below each other where there is room for three tiers only, else in rows. */
const columns = "grid grid-cols-3 gap-1.5 @xl:grid-cols-[minmax(0,1.2fr)_repeat(3,minmax(0,1fr))]";

/** Which model fits in which tier: a grid of one tab stop in which the arrow keys move. */
export function FitMatrix({ matrix, shown, onChoose, label }: FitMatrixProps) {
  const { t } = useTranslation("planning");
  const grid = useRef<HTMLDivElement>(null);
  const helpId = useId();
  const rows = rowsOf(matrix.cells);
  const tabStop = matrix.cells.find((cell) => isCell(cell, shown)) ?? matrix.cells[0];

  const move = (event: KeyboardEvent) => {
    const buttons = [...(grid.current?.querySelectorAll<HTMLElement>("[role=gridcell] button") ?? [])];
    const at = buttons.indexOf(event.target as HTMLElement);
    const next = at < 0 ? undefined : buttons[target(event, at, buttons.length)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  return (
    <div className="@container">
      <p id={helpId} className="sr-only">
        {t("matrix.help")}
      </p>
      <div ref={grid} role="grid" aria-label={label} aria-describedby={helpId} onKeyDown={move}>
        <div role="row" className={classNames(columns, "pb-1.5 text-sm text-ink-muted")}>
          <span role="columnheader" className="@max-xl:sr-only">
            {t("matrix.model")}
          </span>
          {tiers.map((tier) => (
            <span key={tier} role="columnheader" className="px-2">
              <span className="font-medium text-ink">{tier}</span> {t(`matrix.tier.${tier}`)}
            </span>
          ))}
        </div>
        {rows.map((cells) => (
          <div key={cells[0]!.model} role="row" className={classNames(columns, "border-t border-line py-2")}>
            <span role="rowheader" className="col-span-3 font-medium @xl:col-span-1 @xl:py-1">
              {cells[0]!.name}
            </span>
            {tiers.map((tier) => {
              const cell = cells.find((each) => each.tier === tier);
              return cell ? (
                <MatrixCell
                  key={tier}
                  cell={cell}
                  isShown={isCell(cell, shown)}
                  isRecommended={isCell(cell, matrix.recommended)}
                  isTabStop={cell === tabStop}
                  onChoose={onChoose}
                />
              ) : (
                <span key={tier} role="gridcell" />
              );
            })}
          </div>
        ))}
      </div>
      <WeightsNote cells={matrix.cells} />
    </div>
  );
}

const looks: Record<FitCell["status"], { icon: LucideIcon; cell: string; label: string }> = {
  full: { icon: Check, cell: "border-transparent bg-accent-soft", label: "text-accent-ink" },
  shorter: { icon: Check, cell: "border-line-strong/60 bg-surface", label: "text-accent-ink" },
  partial: { icon: HardDrive, cell: "border-transparent bg-warning-soft", label: "text-warning-ink" },
  none: { icon: X, cell: "border-transparent bg-sunken", label: "text-ink-muted" },
};

interface MatrixCellProps {
  cell: FitCell;
  isShown: boolean;
  isRecommended: boolean;
  isTabStop: boolean;
  onChoose: (cell: ModelAndTier) => void;
}

function MatrixCell({ cell, isShown, isRecommended, isTabStop, onChoose }: MatrixCellProps) {
  const { t } = useTranslation("planning");
  const detailsId = useId();
  const look = looks[cell.status];
  const Icon = look.icon;
  const sentences = cellSentences(cell);
  const small = cell.status === "partial" ? "text-ink" : "text-ink-muted";
  return (
    <div role="gridcell" aria-selected={isShown} data-status={cell.status} className="min-w-0">
      <Tooltip
        label={sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      >
        <button
          type="button"
          tabIndex={isTabStop ? 0 : -1}
          aria-describedby={detailsId}
          onClick={() => onChoose({ model: cell.model, tier: cell.tier })}
          className={classNames(
            "flex h-full w-full flex-col items-start rounded-md border px-2 py-1.5 text-left transition-shadow",
            look.cell,
            isShown && "ring-2 ring-accent",
          )}
        >
          <span className={classNames("flex items-center gap-1 text-sm font-medium", look.label)}>
            <Icon aria-hidden="true" className="size-3.5 shrink-0 @max-sm:hidden" />
            {cellLabel(cell)}
          </span>
          <span className={classNames("text-xs tabular-nums", small)}>
            {t("matrix.weights", { size: size(cell.weightsBytes) })}
          </span>
          <span className={classNames("text-xs tabular-nums", small)}>
            {t("matrix.inAll", { size: size(cell.neededBytes) })}
          </span>
          {isRecommended && (
            <span className="mt-0.5 flex items-center gap-1 text-xs font-medium text-accent-ink">
              <Star aria-hidden="true" className="size-3 shrink-0 fill-current @max-sm:hidden" />
              {t("matrix.recommended")}
            </span>
          )}
        </button>
      </Tooltip>
      <span id={detailsId} className="sr-only">
        {sentences.join(" ")}
      </span>
    </div>
  );
}

/** What is often quoted as the size of a model, beside what it takes. */
function WeightsNote({ cells }: { cells: readonly FitCell[] }) {
  const { t } = useTranslation("planning");
  const largest = cells[0];
  if (!largest) return null;
  return (
    <p className="mt-2 text-sm text-pretty text-ink-muted">
      {t("matrix.note", {
        model: largest.name,
        tier: largest.tier,
        quoted: t("gigabytes", { size: gigabytes(largest.weightsBytes) }),
        total: t("gigabytes", { size: gigabytes(largest.neededBytes) }),
        tokens: count(largest.contextSize),
      })}
    </p>
  );
}

function rowsOf(cells: readonly FitCell[]): FitCell[][] {
  return [...Map.groupBy(cells, ({ model }) => model).values()];
}

function isCell(cell: ModelAndTier, other: ModelAndTier | null): boolean {
  return cell.model === other?.model && cell.tier === other.tier;
}

/** The cell a key leads to from the one at `at`, in reading order. */
function target({ key, ctrlKey }: KeyboardEvent, at: number, length: number): number {
  const column = at % tiers.length;
  switch (key) {
    case "ArrowRight":
      return column < tiers.length - 1 ? at + 1 : -1;
    case "ArrowLeft":
      return column > 0 ? at - 1 : -1;
    case "ArrowDown":
      return at + tiers.length;
    case "ArrowUp":
      return at - tiers.length;
    case "Home":
      return ctrlKey ? 0 : at - column;
    case "End":
      return ctrlKey ? length - 1 : at - column + tiers.length - 1;
    default:
      return -1;
  }
}
