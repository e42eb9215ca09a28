import { useTranslation } from "react-i18next";
import { TextField } from "../../components/text-field.tsx";
import { share, wholeNumber, type LimitsDraft } from "./serving-draft.ts";

const fields = ["concurrent", "queued", "tokensPerMinute", "tokensPerDay", "weight"] as const;
/** These may be left empty. */
const optional: readonly string[] = ["concurrent", "tokensPerMinute", "tokensPerDay"];

interface LimitsFieldsProps {
  owner: LimitsDraft;
  others: LimitsDraft;
  onChange: (change: { owner?: LimitsDraft; others?: LimitsDraft }) => void;
}

/** What the user of this machine, and what everybody else may take of a model. */
export function LimitsFields({ owner, others, onChange }: LimitsFieldsProps) {
  const { t } = useTranslation("settings");
  const wrong = (field: (typeof fields)[number], typed: string) => {
    if (typed.trim() === "" && optional.includes(field)) return null;
    if (field === "weight") return share(typed) === null ? t("wrongShare", { least: 0.01 }) : null;
    return wholeNumber(typed) === null ? t("wrong", { least: 1 }) : null;
  };
  return (
    <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2">
      {(["owner", "others"] as const).map((who) => {
        const limits = who === "owner" ? owner : others;
        return (
          <fieldset key={who} className="flex min-w-0 flex-col gap-3">
            <legend className="mb-2 font-medium">{t(`limits.${who}`)}</legend>
            {fields.map((field) => (
              <TextField
                key={field}
                label={t(`limits.${field}`)}
                hint={optional.includes(field) ? t("limits.noLimit") : undefined}
                inputMode={field === "weight" ? "decimal" : "numeric"}
                value={limits[field]}
                error={wrong(field, limits[field])}
                onChange={(event) => onChange({ [who]: { ...limits, [field]: event.target.value } })}
              />
            ))}
          </fieldset>
        );
      })}
    </div>
  );
}
