import { RotateCw } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useConnection, useHardware } from "../../stores/stores.tsx";
import { Fact, MemoryBar } from "./device-facts.tsx";
import { GpuFacts } from "./gpu-facts.tsx";

/** What the host's machine has, and how busy it is while somebody looks. */
export function HardwareCard() {
  const { t, i18n } = useTranslation("hardware");
  const hardware = useHardware((state) => state.hardware);
  const sample = useHardware((state) => state.sample);
  const error = useHardware((state) => state.error);
  const read = useHardware((state) => state.read);
  const watch = useHardware((state) => state.watch);
  const ready = useConnection((state) => state.connection.kind === "ready");
  useEffect(() => {
    if (ready) void read();
  }, [ready, read]);
  useEffect(() => watch(), [watch]);

  return (
    <section aria-labelledby="hardware" className="rounded-xl border border-line bg-surface p-4">
      <header className="mb-2 flex items-center justify-between">
        <h2 id="hardware" className="font-semibold">
          {t("title")}
        </h2>
        <IconButton
          size="small"
          label={t("refresh")}
          icon={<RotateCw aria-hidden="true" />}
          onClick={() => void read()}
        />
      </header>
      {error && error.code !== "HOST_UNREACHABLE" && <ErrorNote className="mb-3">{error.message}</ErrorNote>}
      {!hardware && !error && <Spinner label={t("loading")} />}
      {hardware && (
        <dl className="flex flex-col gap-3 text-sm">
          {hardware.gpus.length === 0 && (
            <Fact name={t("graphics")} value={t("noGraphics")}>
              {t("noGraphicsHint")}
            </Fact>
          )}
          {hardware.gpus.map((gpu) => (
            <GpuFacts
              key={gpu.id}
              gpu={gpu}
              gpus={hardware.gpus}
              sample={sample?.gpus.find(({ id }) => id === gpu.id) ?? null}
            />
          ))}
          <Fact name={t("processor")} value={hardware.cpu.name}>
            <span className="block">{hardware.cpu.instructionSets.join(" · ")}</span>
            {[
              t("cores", { count: hardware.cpu.physicalCores, threads: hardware.cpu.logicalCores }),
              hardware.numaNodes.length > 1 && t("numa", { count: hardware.numaNodes.length }),
              sample?.cpu.utilizationPercent != null &&
                t("busy", { percent: share(sample.cpu.utilizationPercent, i18n.language) }),
            ]
              .filter(Boolean)
              .join(" · ")}
          </Fact>
          <MainMemory memory={sample?.memory ?? hardware.memory} />
          {hardware.disk.freeBytes !== null && (
            <Fact name={t("disk")} value={t("free", { free: byteSize(hardware.disk.freeBytes, i18n.language) })} />
          )}
          <Fact
            name={t("system")}
            value={[
              hardware.os.distribution || hardware.os.platform,
              hardware.os.architecture,
              hardware.runtimes.cuda && t("cuda", { version: hardware.runtimes.cuda }),
              hardware.runtimes.rocm && t("rocm", { version: hardware.runtimes.rocm }),
            ]
              .filter(Boolean)
              .join(" · ")}
          />
        </dl>
      )}
      {hardware && hardware.notes.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1 border-t border-line pt-3 text-sm text-ink-muted">
          {hardware.notes.map((note) => (
            <li key={note} className="[overflow-wrap:anywhere]">
              {note}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function MainMemory({
  memory: { totalBytes, availableBytes },
}: {
  memory: { totalBytes: number; availableBytes: number };
}) {
  const { t, i18n } = useTranslation("hardware");
  const size = (bytes: number) => byteSize(bytes, i18n.language);
  const used = Math.max(0, totalBytes - availableBytes);
  return (
    <MemoryBar
      name={t("memory")}
      words={t("freeOf", { free: size(availableBytes), total: size(totalBytes) })}
      label={t("barMemory", { device: t("memory"), used: size(used), free: size(availableBytes) })}
      total={totalBytes}
      parts={[{ key: "used", value: used, className: "bg-part-4" }]}
    />
  );
}

/** @param percent 0 to 100 */
function share(percent: number, language: string): string {
  return (percent / 100).toLocaleString(language, { style: "percent" });
}
