import { RotateCw } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { IconButton } from "../../components/icon-button.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { StackedBar } from "../../components/stacked-bar.tsx";
import { useConnection, useModels } from "../../stores/stores.tsx";

/** What this machine has: processor, memory, graphics cards, disk. */
export function HardwareCard() {
  const { t, i18n } = useTranslation("models");
  const hardware = useModels((state) => state.hardware);
  const readHardware = useModels((state) => state.readHardware);
  const ready = useConnection((state) => state.connection.kind === "ready");
  useEffect(() => {
    if (ready) void readHardware();
  }, [ready, readHardware]);
  const size = (bytes: number) => byteSize(bytes, i18n.language);

  return (
    <section aria-labelledby="hardware" className="rounded-xl border border-line bg-surface p-4">
      <header className="mb-2 flex items-center justify-between">
        <h2 id="hardware" className="font-semibold">
          {t("hardware.title")}
        </h2>
        <IconButton
          size="small"
          label={t("hardware.refresh")}
          icon={<RotateCw aria-hidden="true" />}
          onClick={() => void readHardware()}
        />
      </header>
      {!hardware ? (
        <Spinner label={t("hardware.loading")} />
      ) : (
        <dl className="flex flex-col gap-3 text-sm">
          <Fact name={t("hardware.processor")} value={hardware.cpu.name}>
            {t("hardware.cores", { count: hardware.cpu.physicalCores, threads: hardware.cpu.logicalCores })}
          </Fact>
          <Memory
            name={t("hardware.memory")}
            total={hardware.memory.totalBytes}
            free={hardware.memory.availableBytes}
          />
          {hardware.gpus.length === 0 && (
            <Fact name={t("hardware.graphics")} value={t("hardware.noGraphics")}>
              {t("hardware.noGraphicsHint")}
            </Fact>
          )}
          {hardware.gpus.map((gpu) =>
            gpu.totalBytes !== null && gpu.freeBytes !== null ? (
              <Memory key={gpu.id} name={gpu.name} total={gpu.totalBytes} free={gpu.freeBytes} />
            ) : (
              <Fact key={gpu.id} name={t("hardware.graphics")} value={gpu.name}>
                {t("hardware.memoryUnknown")}
              </Fact>
            ),
          )}
          {hardware.disk.freeBytes !== null && (
            <Fact name={t("hardware.disk")} value={t("hardware.free", { free: size(hardware.disk.freeBytes) })} />
          )}
          <Fact
            name={t("hardware.system")}
            value={[hardware.os.distribution || hardware.os.platform, hardware.os.architecture].join(" · ")}
          />
        </dl>
      )}
      {hardware && hardware.notes.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1 border-t border-line pt-3 text-sm text-ink-muted">
          {hardware.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: React.ReactNode }) {
  return (
    <div>
      <dt className="text-ink-muted">{name}</dt>
      <dd className="[overflow-wrap:anywhere]">{value}</dd>
      {children && <dd className="text-ink-muted">{children}</dd>}
    </div>
  );
}

function Memory({ name, total, free }: { name: string; total: number; free: number }) {
  const { t, i18n } = useTranslation("models");
  const words = t("hardware.freeOf", { free: byteSize(free, i18n.language), total: byteSize(total, i18n.language) });
  return (
    <div>
      <dt className="text-ink-muted">{name}</dt>
      <dd>
        <span className="tabular-nums">{words}</span>
        <StackedBar
          className="mt-1"
          label={`${name}: ${words}`}
          whole={total}
          parts={[{ key: "used", value: total - free, className: "bg-part-4" }]}
        />
      </dd>
    </div>
  );
}
