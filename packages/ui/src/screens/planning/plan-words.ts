import type { FitCell, LoadPlan, PlanAlternative, PrecisionTier } from "@corral/protocol";
import i18next from "i18next";
import { byteSize } from "../../components/byte-size.ts";

/** "131,072" in the language of the page. */
export function count(value: number): string {
  return value.toLocaleString(i18next.language);
}

/** Bytes as a person reads them, in the language of the page. */
export function size(bytes: number): string {
  return byteSize(bytes, i18next.language);
}

/** A context as people call it: 131,072 is "128K". Rounded down: never more than there is. */
function contextName(tokens: number): string {
  return tokens < 1024 ? count(tokens) : `${count(Math.floor(tokens / 1024))}K`;
}

/** "12–30", or "0.4–0.9" where whole numbers would say too little. */
export function range({ low, high }: { low: number; high: number }): string {
  const number = (value: number) =>
    value.toLocaleString(i18next.language, { maximumFractionDigits: value < 10 ? 1 : 0 });
  return number(low) === number(high) ? number(low) : `${number(low)}–${number(high)}`;
}

/** Whole gigabytes as model makers count them: 10^9 bytes. */
export function gigabytes(bytes: number): string {
  return (bytes / 1e9).toLocaleString(i18next.language, { maximumFractionDigits: bytes < 1e11 ? 1 : 0 });
}

/** What a cell of the fit matrix says at a glance. */
export function cellLabel({ status, contextSize }: FitCell): string {
  const context = contextName(contextSize);
  switch (status) {
    case "full":
      return i18next.t("planning:matrix.full", { context });
    case "shorter":
      return i18next.t("planning:matrix.shorter", { context });
    case "partial":
      return i18next.t("planning:matrix.partial");
    case "none":
      return i18next.t("planning:matrix.none");
  }
}

/** The same with every number, in sentences. */
export function cellSentences(cell: FitCell): string[] {
  const { name: model, tier, quantization, kvCacheType: kvCache } = cell;
  const weights = size(cell.weightsBytes);
  const total = size(cell.neededBytes);
  return [
    i18next.t("planning:cell.what", { model, tier, quantization, kvCache }),
    fitSentence(cell),
    i18next.t("planning:cell.memory", { weights, total }),
    ...(cell.status === "none" ? [] : [i18next.t("planning:cell.speed", { speed: range(cell.decodeTokensPerSecond) })]),
  ];
}

function fitSentence({ status, contextSize, wishedContextSize, missingBytes }: FitCell): string {
  const tokens = count(contextSize);
  switch (status) {
    case "full":
      return i18next.t("planning:cell.full", { tokens });
    case "shorter":
      return i18next.t("planning:cell.shorter", { tokens, wished: count(wishedContextSize) });
    case "partial":
      return i18next.t("planning:cell.partial", { tokens });
    case "none":
      return i18next.t("planning:cell.none", { tokens, missing: size(missingBytes) });
  }
}

const precision: Record<PrecisionTier, number> = { BF16: 3, FP8: 2, INT4: 1 };

/** What is lost and won by taking an alternative instead of the plan, best known first. */
export function alternativeCost(other: PlanAlternative, plan: LoadPlan): string {
  const costs: string[] = [];
  if (!other.fits) costs.push(i18next.t("planning:alternatives.short", { size: size(other.missingBytes) }));
  const moreBits = precision[other.tier] - precision[plan.tier];
  if (moreBits > 0) costs.push(i18next.t("planning:alternatives.morePrecise"));
  if (moreBits < 0) costs.push(i18next.t("planning:alternatives.lessPrecise"));
  if (moreBits === 0 && other.quantization !== plan.quantization) {
    const isSmaller = other.quantization.startsWith("IQ");
    costs.push(isSmaller ? i18next.t("planning:alternatives.smaller") : i18next.t("planning:alternatives.morePrecise"));
  }
  if (other.kvCacheType !== plan.kvCacheType) {
    const isSmaller = other.kvCacheType === "q8_0";
    costs.push(
      isSmaller ? i18next.t("planning:alternatives.smallerCache") : i18next.t("planning:alternatives.largerCache"),
    );
  }
  const tokens = other.contextSize - plan.contextSize;
  if (tokens < 0) costs.push(i18next.t("planning:alternatives.lessContext", { tokens: count(-tokens) }));
  if (tokens > 0) costs.push(i18next.t("planning:alternatives.moreContext", { tokens: count(tokens) }));
  return costs.join(", ");
}
