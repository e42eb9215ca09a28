import type { DeviceMemory } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { StackedBar } from "../../components/stacked-bar.tsx";
import { deviceParts, neededBytes } from "./device-parts.ts";
import { size } from "./plan-words.ts";

/** The memory of each device as a bar, and in numbers on demand. */
export function DeviceBars({ devices }: { devices: readonly DeviceMemory[] }) {
  const { t } = useTranslation("planning");
  const used = deviceParts.filter(({ field }) => devices.some((device) => device[field] > 0));
  return (
    <div>
      <h3 className="mb-1 font-medium">{t("plan.devices")}</h3>
      <div className="rounded-lg bg-sunken p-3">
        <ul className="mb-3 flex flex-wrap gap-x-5 gap-y-1 text-sm">
          {used.map(({ key, className }) => (
            <li key={key} className="flex items-center gap-1.5">
              <span aria-hidden="true" className={`size-2.5 rounded-xs ${className}`} />
              {t(`part.${key}`)}
            </li>
          ))}
        </ul>
        <ul className="flex flex-col gap-3">
          {devices.map((device) => (
            <li key={device.id}>
              <DeviceBar device={device} />
            </li>
          ))}
        </ul>
        <details className="mt-3 text-sm">
          <summary className="w-fit rounded-sm font-medium text-ink-muted hover:text-ink">{t("plan.numbers")}</summary>
          <DeviceNumbers devices={devices} />
        </details>
      </div>
    </div>
  );
}

function DeviceBar({ device }: { device: DeviceMemory }) {
  const { t } = useTranslation("planning");
  const needed = neededBytes(device);
  const taken = needed + device.usedByOthersBytes;
  const said = t("plan.bar", { device: device.name, needed: size(needed), free: size(device.freeBytes) });
  const parts = deviceParts.filter(({ field }) => device[field] > 0);
  return (
    <>
      <div className="mb-1 flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
        <span className="font-medium [overflow-wrap:anywhere]">{device.name}</span>
        <span className="text-ink-muted tabular-nums">
          {t("plan.ofFree", { needed: size(needed), free: size(device.freeBytes) })}
        </span>
      </div>
      <StackedBar
        label={[said, ...parts.map(({ key, field }) => `${t(`part.${key}`)} ${size(device[field])}`)].join(", ")}
        whole={Math.max(taken, device.totalBytes)}
        limit={device.totalBytes}
        parts={parts.map(({ key, field, className }) => ({ key, value: device[field], className }))}
      />
    </>
  );
}

function DeviceNumbers({ devices }: { devices: readonly DeviceMemory[] }) {
  const { t } = useTranslation("planning");
  return (
    // It can be wider than the page, so the keyboard must be able to scroll it.
    <div role="region" tabIndex={0} aria-label={t("plan.numbersOf")} className="mt-2 overflow-x-auto">
      <table className="w-full text-right tabular-nums [&_td]:px-2 [&_td]:py-1 [&_th]:px-2 [&_th]:py-1">
        <thead className="text-ink-muted">
          <tr>
            <th scope="col" className="text-left font-normal">
              {t("plan.device")}
            </th>
            {deviceParts.map(({ key }) => (
              <th key={key} scope="col" className="font-normal">
                {t(`part.${key}`)}
              </th>
            ))}
            <th scope="col" className="font-normal">
              {t("plan.free")}
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr key={device.id} className="border-t border-line">
              <th scope="row" className="text-left font-normal">
                {device.name}
              </th>
              {deviceParts.map(({ key, field }) => (
                <td key={key} className="whitespace-nowrap">
                  {size(device[field])}
                </td>
              ))}
              <td className="whitespace-nowrap">{size(Math.max(0, device.freeBytes - neededBytes(device)))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
