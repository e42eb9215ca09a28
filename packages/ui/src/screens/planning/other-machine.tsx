import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/text-field.tsx";
import { usePlanning } from "../../stores/stores.tsx";

const examples = "“8x H100 80GB”, “2x RTX 4090 24GB + 1x A100 80GB”";
const memoryExample = "“1x RTX 4090 24GB + ram 128GB”";

/** Plans for a machine that is only described. The host reads the description. */
export function OtherMachine() {
  const { t } = useTranslation("planning");
  const machine = usePlanning((state) => state.machine);
  const error = usePlanning((state) => state.machineError);
  const setMachine = usePlanning((state) => state.setMachine);
  const [text, setText] = useState(machine);
  return (
    <form
      className="flex flex-wrap items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        setMachine(text.trim());
      }}
    >
      <TextField
        label={t("machine.label")}
        hint={t("machine.hint", { examples, memory: memoryExample })}
        error={error?.message}
        value={text}
        maxLength={500}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        className="min-w-48 flex-1"
      />
      {/* Level with the field, below its label. */}
      <div className="mt-6 flex gap-2">
        <Button type="submit" disabled={text.trim() === machine}>
          {t("machine.show")}
        </Button>
      </div>
    </form>
  );
}
