import { TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "./class-names.ts";
import { IconButton } from "./icon-button.tsx";

export interface ErrorNoteProps {
  /** One sentence: what happened and what to do. */
  children: ReactNode;
  /** The button that does it. */
  action?: ReactNode;
  onDismiss?: () => void;
  /** warning: works, with a limit. */
  tone?: "danger" | "warning";
  className?: string;
}

/** A failure said where it happened. It stays until it is dealt with. */
export function ErrorNote({ children, action, onDismiss, tone = "danger", className }: ErrorNoteProps) {
  const { t } = useTranslation("components");
  return (
    <div
      role={tone === "danger" ? "alert" : "status"}
      className={classNames(
        "flex items-start gap-2.5 rounded-lg px-3.5 py-2.5",
        tone === "danger" ? "bg-danger-soft" : "bg-warning-soft",
        className,
      )}
    >
      <TriangleAlert
        aria-hidden="true"
        className={classNames("mt-1 size-4 shrink-0", tone === "danger" ? "text-danger-ink" : "text-warning-ink")}
      />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1 basis-60 [overflow-wrap:anywhere]">{children}</div>
        {action && <div className="flex flex-wrap gap-2">{action}</div>}
      </div>
      {onDismiss && (
        <IconButton
          plain
          size="small"
          label={t("errorNote.dismiss")}
          icon={<X aria-hidden="true" />}
          onClick={onDismiss}
          className="-mr-1.5"
        />
      )}
    </div>
  );
}
