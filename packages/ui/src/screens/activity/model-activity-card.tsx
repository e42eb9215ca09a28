import type { ModelActivity } from "@corral/protocol";
import { lazy, Suspense, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { byteSize } from "../../components/byte-size.ts";
import { StackedBar } from "../../components/stacked-bar.tsx";
import type { ActivitySample } from "../../stores/activity-store.ts";
import { useActivity } from "../../stores/stores.tsx";
import { latencyShare } from "./latency-share.ts";

// The drawing of charts is only loaded by those who look at one.
const LineChart = lazy(async () => ({ default: (await import("../../components/line-chart.tsx")).LineChart }));

const none: readonly ActivitySample[] = [];

/** One model at work: slots, queue, memory, speed. */
export function ModelActivityCard({ model, since }: { model: ModelActivity; since: string }) {
  const { t, i18n } = useTranslation(["activity", "models"]);
  const samples = useActivity((state) => state.samples[model.model] ?? none);
  const number = (value: number) => value.toLocaleString(i18n.language, { maximumFractionDigits: value < 10 ? 1 : 0 });
  const now = samples.at(-1);
  return (
    <article aria-label={model.name} className="rounded-xl border border-line bg-surface p-4">
      <header className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <h2 className="font-semibold [overflow-wrap:anywhere]">{model.name}</h2>
        <Badge tone={model.running > 0 ? "accent" : "neutral"}>{t(`models:state.${model.state}`)}</Badge>
        <Badge>{t(`purpose.${model.purpose}`)}</Badge>
      </header>
      <div className="mt-3 grid gap-x-6 gap-y-3 sm:grid-cols-2">
        <dl className="flex flex-col gap-2 text-sm">
          <Entry name={t("running")}>{number(model.running)}</Entry>
          <Entry name={t("queued")}>
            {number(model.queued)}
            {model.waitMs !== null && model.waitMs >= 1000 && (
              <span className="text-ink-muted"> · {t("wait", { time: time(model.waitMs, i18n.language) })}</span>
            )}
          </Entry>
          <Entry name={t("slots")}>
            {model.slots.map(({ contextSize, total, busy }) => (
              <span key={contextSize} className="block">
                {t("slot", { busy, total, tokens: number(contextSize) })}
              </span>
            ))}
          </Entry>
          {model.kvTotalTokens > 0 && (
            <Entry name={t("kv")}>
              {t("kvOf", { used: number(model.kvUsedTokens), total: number(model.kvTotalTokens) })}
              <StackedBar
                className="mt-1"
                label={t("kvOf", { used: number(model.kvUsedTokens), total: number(model.kvTotalTokens) })}
                whole={model.kvTotalTokens}
                parts={[{ key: "used", value: model.kvUsedTokens, className: "bg-part-1" }]}
              />
            </Entry>
          )}
          {model.memory.length > 0 && (
            <Entry name={t("memory")}>
              {model.memory.map(({ device, name, bytes }) => (
                <span key={device} className="block">
                  {name}: {byteSize(bytes, i18n.language)}
                </span>
              ))}
            </Entry>
          )}
        </dl>
        <div className="min-w-0">
          <p className="flex flex-wrap gap-x-4 text-sm">
            <Key className="bg-part-1" name={t("written")} rate={t("perSecond", { rate: number(now?.written ?? 0) })} />
            <Key className="bg-part-2" name={t("read")} rate={t("perSecond", { rate: number(now?.read ?? 0) })} />
          </p>
          {samples.length < 2 ? (
            <p className="flex h-30 items-center text-sm text-ink-muted">{t("collecting")}</p>
          ) : (
            <Suspense fallback={<div className="h-30" />}>
              <RateChart samples={samples} number={number} />
            </Suspense>
          )}
        </div>
      </div>
      <Totals model={model} since={since} />
    </article>
  );
}

function RateChart({ samples, number }: { samples: readonly ActivitySample[]; number: (value: number) => string }) {
  const { t } = useTranslation("activity");
  const now = samples.at(-1)!;
  return (
    <LineChart
      time
      className="mt-1"
      label={t("chart", { written: number(now.written), read: number(now.read) })}
      x={samples.map(({ at }) => at)}
      series={[
        { label: t("written"), values: samples.map(({ written }) => written), color: "part-1" },
        { label: t("read"), values: samples.map(({ read }) => read), color: "part-2" },
      ]}
      formatX={(value) =>
        Math.round(now.at - value) === 0 ? t("now") : t("secondsAgo", { seconds: Math.round(now.at - value) })
      }
      formatY={number}
    />
  );
}

function Totals({ model, since }: { model: ModelActivity; since: string }) {
  const { t, i18n } = useTranslation("activity");
  const number = (value: number) => value.toLocaleString(i18n.language, { maximumFractionDigits: value < 10 ? 1 : 0 });
  const { counters, decodeTokensPerSecond: decode, prefillTokensPerSecond: prefill } = model;
  const refused = counters.refusedQueueFull + counters.refusedRateLimited;
  const median = latencyShare(model.timeToFirstToken, 0.5);
  const most = latencyShare(model.timeToFirstToken, 0.95);
  return (
    <dl className="mt-3 grid gap-x-6 gap-y-2 border-t border-line pt-3 text-sm sm:grid-cols-2">
      <Entry name={t("ttft")}>
        {median === null || most === null
          ? t("unmeasured")
          : t("ttftWords", { median: time(median, i18n.language), most: time(most, i18n.language) })}
      </Entry>
      <Entry name={t("speed")}>
        {decode === null && prefill === null
          ? t("unmeasured")
          : t("speedWords", {
              decode: decode === null ? "–" : number(decode),
              prefill: prefill === null ? "–" : number(prefill),
            })}
      </Entry>
      <Entry className="sm:col-span-2" name={t("counters", { time: new Date(since).toLocaleString(i18n.language) })}>
        {[
          t("countersWords", {
            count: counters.completed,
            prompt: number(counters.promptTokens),
            cached: number(counters.cachedTokens),
            written: number(counters.completionTokens),
          }),
          refused > 0 && t("refused", { count: refused }),
          counters.failed > 0 && t("failed", { count: counters.failed }),
          counters.crashes > 0 && t("crashes", { count: counters.crashes }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </Entry>
    </dl>
  );
}

function Entry({ name, className, children }: { name: string; className?: string; children: ReactNode }) {
  return (
    <div className={className}>
      <dt className="text-ink-muted">{name}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}

function Key({ name, rate, className }: { name: string; rate: string; className: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span aria-hidden="true" className={`size-2.5 shrink-0 rounded-xs ${className}`} />
      <span className="text-ink-muted">{name}</span>
      <span className="tabular-nums">{rate}</span>
    </span>
  );
}

/** "250 ms", "1.5 sec"; Infinity reads "∞ sec". */
function time(ms: number, language: string): string {
  const [value, unit, digits] = ms < 1000 ? ([ms, "millisecond", 0] as const) : ([ms / 1000, "second", 1] as const);
  return value.toLocaleString(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
}
