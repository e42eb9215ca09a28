import type { GpuDevice, GpuSample } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { Fact, MemoryBar } from "./device-facts.tsx";

interface GpuFactsProps {
  gpu: GpuDevice;
  /** All of the machine: links lead to others. */
  gpus: readonly GpuDevice[];
  /** As it is this second; null: only as it was when the hardware was read. */
  sample: GpuSample | null;
}

/** One graphics card: its memory, who uses it, what it is connected to, how hard it works. */
export function GpuFacts({ gpu, gpus, sample }: GpuFactsProps) {
  const { t, i18n } = useTranslation("hardware");
  const size = (bytes: number) => byteSize(bytes, i18n.language);
  const name = gpus.length > 1 && !gpu.partition ? `${gpu.index} · ${gpu.name}` : gpu.name;
  const free = sample?.freeBytes ?? gpu.freeBytes;
  const more = <GpuDetails gpu={gpu} gpus={gpus} sample={sample} />;
  if (gpu.totalBytes === null || free === null) {
    return (
      <Fact name={name} value={t("memoryUnknown")}>
        {more}
      </Fact>
    );
  }
  const used = Math.max(0, gpu.totalBytes - free);
  // Who uses it is known from the moment the hardware was read; Corral's part changes only when a model comes or goes.
  const ours = Math.min(used, Math.max(0, (gpu.usedBytes ?? 0) - (gpu.usedByOthersBytes ?? gpu.usedBytes ?? 0)));
  const others = used - ours;
  return (
    <MemoryBar
      name={name}
      words={t("freeOf", { free: size(free), total: size(gpu.totalBytes) })}
      label={t("bar", { device: name, ours: size(ours), others: size(others), free: size(free) })}
      total={gpu.totalBytes}
      parts={[
        { key: "ours", value: ours, className: "bg-part-1" },
        { key: "others", value: others, className: "bg-part-4" },
      ]}
    >
      <dd className="mt-1 flex flex-wrap gap-x-4">
        {ours > 0 && <UsedBy className="bg-part-1" name={t("ours")} amount={size(ours)} />}
        {others > 0 && <UsedBy className="bg-part-4" name={t("others")} amount={size(others)} />}
      </dd>
      <dd className="text-ink-muted">{more}</dd>
    </MemoryBar>
  );
}

function UsedBy({ name, amount, className }: { name: string; amount: string; className: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span aria-hidden="true" className={`size-2.5 shrink-0 rounded-xs ${className}`} />
      <span className="text-ink-muted">{name}</span>
      <span className="tabular-nums">{amount}</span>
    </span>
  );
}

function GpuDetails({ gpu, gpus, sample }: GpuFactsProps) {
  const { t, i18n } = useTranslation("hardware");
  const number = (value: number) => value.toLocaleString(i18n.language, { maximumFractionDigits: 0 });
  const degrees = sample?.temperatureCelsius ?? gpu.temperatureCelsius;
  const watts = sample?.powerWatts ?? gpu.powerWatts;
  const busy = sample?.utilizationPercent ?? gpu.utilizationPercent;
  const now = [
    busy !== null && t("busy", { percent: (busy / 100).toLocaleString(i18n.language, { style: "percent" }) }),
    degrees !== null && t("temperature", { degrees: number(degrees) }),
    watts !== null &&
      (gpu.powerLimitWatts === null
        ? t("power", { watts: number(watts) })
        : t("powerOf", { watts: number(watts), limit: number(gpu.powerLimitWatts) })),
  ].filter(Boolean);
  const facts = [
    gpu.partition && t("part", { profile: gpu.partition.profile }),
    gpu.unifiedMemory && t("unified"),
    useLinkWords(gpu, gpus),
    gpu.computeCapability && t("compute", { version: gpu.computeCapability }),
    gpu.driver && t("driver", { version: gpu.driver }),
  ].filter(Boolean);
  return (
    <>
      {now.length > 0 && <span className="block tabular-nums">{now.join(" · ")}</span>}
      {facts.length > 0 && <span className="block">{facts.join(" · ")}</span>}
      {!gpu.usable && <span className="block text-warning-ink">{gpu.unusableReason ?? t("notUsable")}</span>}
    </>
  );
}

/** What it is connected with: the vendor's own link to its neighbours where there is one, and PCIe. */
function useLinkWords({ pcie, peers }: GpuDevice, gpus: readonly GpuDevice[]): string {
  const { t } = useTranslation("hardware");
  const words: string[] = [];
  const generation = pcie?.maxGeneration ?? pcie?.generation ?? null;
  const width = pcie?.width ?? pcie?.maxWidth ?? null;
  if (width !== null) {
    words.push(generation === null ? t("pcieWidth", { width }) : t("pcie", { generation: `${generation}.0`, width }));
  }
  for (const kind of ["nvlink", "xgmi"] as const) {
    const indices = peers
      .filter(({ link }) => link === kind)
      .map(({ id }) => gpus.find((gpu) => gpu.id === id)?.index)
      .filter((index) => index !== undefined);
    if (indices.length > 0) words.push(t(`link.${kind}`, { peers: cards(indices) }));
  }
  return words.join(" · ");
}

/** 0, 1, 2, 3, 7 as "0–3, 7". */
function cards(indices: number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && index === last[1] + 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
}
