import { LoaderCircle } from "lucide-react";
import { useTranslation } from "react-i18next";
import { classNames } from "./class-names.ts";

/** Something is under way whose end is not known. Give `label` where no text beside it says what. */
export function Spinner({ label, className }: { label?: string; className?: string }) {
  const { t } = useTranslation("components");
  return (
    <span role="status" className={classNames("inline-flex text-ink-muted", className)}>
      <LoaderCircle aria-hidden="true" className="size-4 animate-spin" />
      <span className="sr-only">{label ?? t("spinner.busy")}</span>
    </span>
  );
}
