import type { PlanPreference } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Select } from "../../components/select.tsx";
import { Slider } from "../../components/slider.tsx";
import { usePlanning } from "../../stores/stores.tsx";
import { count, size } from "./plan-words.ts";

/** Where the context slider stands, tokens: powers of two and the middle between them. */
const contexts = [4096, 6144, 8192, 12_288, 16_384, 24_576, 32_768, 49_152, 65_536, 98_304, 131_072];
const mostUsers = 16;
const preferences: readonly PlanPreference[] = ["balanced", "quality", "speed", "longest-context"];
const gibibyte = 2 ** 30;
/** Bytes. */
const reserves = [0, gibibyte / 2, gibibyte, 2 * gibibyte, 4 * gibibyte, 8 * gibibyte];
const usualReserve = gibibyte;

/** What is asked of a plan. Each change plans anew. */
export function PlanWishes() {
  const { t } = useTranslation("planning");
  const { contextSize, users, preference, reserveBytes } = usePlanning((state) => state.wishes);
  const setWishes = usePlanning((state) => state.setWishes);
  const stop = contexts.findLastIndex((context) => context <= contextSize);
  return (
    <div role="group" aria-label={t("wishes.title")} className="grid gap-x-6 gap-y-4 @lg:grid-cols-2">
      <Slider
        label={t("wishes.context")}
        min={0}
        max={contexts.length - 1}
        step={1}
        value={Math.max(0, stop)}
        onValueChange={(at) => setWishes({ contextSize: contexts[at]! })}
        format={(at) => t("tokens", { tokens: count(contexts[at]!) })}
      />
      <Slider
        label={t("wishes.users")}
        min={1}
        max={mostUsers}
        step={1}
        value={users}
        onValueChange={(value) => setWishes({ users: value })}
        format={(value) => t("wishes.usersValue", { count: value })}
      />
      <Select
        label={t("wishes.preference")}
        value={preference}
        onValueChange={(value) => setWishes({ preference: value as PlanPreference })}
        options={preferences.map((value) => ({ value, label: t(`preference.${value}`) }))}
      />
      <Select
        label={t("wishes.reserve")}
        value={String(reserveBytes)}
        onValueChange={(value) => setWishes({ reserveBytes: Number(value) })}
        options={reserves.map((bytes) => ({ value: String(bytes), label: reserveLabel(bytes) }))}
      />
    </div>
  );

  function reserveLabel(bytes: number): string {
    if (bytes === 0) return t("wishes.noReserve");
    return bytes === usualReserve ? t("wishes.defaultReserve", { size: size(bytes) }) : size(bytes);
  }
}
