import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useModels, useNavigation } from "../../stores/stores.tsx";
import { useActiveModel } from "./active-model.ts";

/** One sentence on what the model can do, where it cannot do everything. */
export function ModelNote() {
  const { t } = useTranslation("chat");
  const loaded = useModels((state) => state.loaded);
  const show = useNavigation((state) => state.show);
  const model = useActiveModel();
  if (!loaded || model?.ability === "chat") return null;
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-ink-muted">
      {t(model ? "model.reader" : "model.noneInstalled")}
      <Button size="small" variant="quiet" className="-ml-2.5" onClick={() => show("models")}>
        {t("model.openModels")}
      </Button>
    </p>
  );
}
