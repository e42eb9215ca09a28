import type { OverflowChoice } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Select } from "../../components/select.tsx";

/** What to do when the conversation no longer fits into the context. */
export function OverflowSelect(props: {
  value: OverflowChoice;
  onValueChange: (choice: OverflowChoice) => void;
  disabled: boolean;
}) {
  const { t } = useTranslation("tools");
  const options: { value: OverflowChoice; label: string }[] = [
    { value: "drop-oldest", label: t("overflow.drop-oldest") },
    { value: "summarise", label: t("overflow.summarise") },
    { value: "shorter-documents", label: t("overflow.shorter-documents") },
    { value: "stop", label: t("overflow.stop") },
  ];
  return (
    <Select
      label={t("overflow.label")}
      hint={t("overflow.hint")}
      value={props.value}
      onValueChange={(value) => props.onValueChange(value as OverflowChoice)}
      options={options}
      disabled={props.disabled}
    />
  );
}
