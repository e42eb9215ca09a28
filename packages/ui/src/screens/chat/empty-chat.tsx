import { FileDown, FolderOpen, MessageCircleQuestion, ScanText } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useNavigation } from "../../stores/stores.tsx";
import { ChooseFilesButton } from "./choose-files.tsx";
import { ModelNote } from "./model-note.tsx";

/** A conversation before its first question: what to do, in three steps. */
export function EmptyChat() {
  const { t } = useTranslation("chat");
  const show = useNavigation((state) => state.show);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex min-h-full max-w-2xl flex-col justify-center gap-6 px-5 py-8">
        <h2 className="text-2xl font-semibold text-balance">{t("empty.title")}</h2>
        <ol className="flex flex-col gap-5">
          <Step icon={<FileDown />} title={t("empty.dropTitle")}>
            {t("empty.dropText")}
          </Step>
          <Step icon={<MessageCircleQuestion />} title={t("empty.askTitle")}>
            {t("empty.askText")}
          </Step>
          <Step icon={<ScanText />} title={t("empty.openTitle")}>
            {t("empty.openText")}
          </Step>
        </ol>
        <div className="flex flex-wrap gap-2">
          <ChooseFilesButton variant="primary" icon={<FileDown aria-hidden="true" />}>
            {t("empty.choose")}
          </ChooseFilesButton>
          <Button variant="quiet" icon={<FolderOpen aria-hidden="true" />} onClick={() => show("library")}>
            {t("empty.library")}
          </Button>
        </div>
        <ModelNote />
      </div>
    </div>
  );
}

function Step({ icon, title, children }: { icon: ReactNode; title: string; children: string }) {
  return (
    <li className="flex items-start gap-3.5">
      <span
        aria-hidden="true"
        className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent-ink [&_svg]:size-4.5"
      >
        {icon}
      </span>
      <div>
        <h3 className="font-medium">{title}</h3>
        <p className="text-ink-muted text-pretty">{children}</p>
      </div>
    </li>
  );
}
