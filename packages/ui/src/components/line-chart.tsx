import { useEffect, useRef } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { classNames } from "./class-names.ts";

export interface ChartSeries {
  readonly label: string;
  /** One per x; null: nothing was measured there. */
  readonly values: readonly (number | null)[];
  /** Name of a colour of the theme: "part-1". */
  readonly color: "part-1" | "part-2" | "part-3";
}

export interface LineChartProps {
  /** What it shows, with the latest figures, for those who do not see it. */
  label: string;
  /** Ascending. Unix seconds where `time`. */
  x: readonly number[];
  series: readonly ChartSeries[];
  time?: boolean;
  /** Numbers at the axes, as a person reads them. */
  formatX?: (value: number) => string;
  formatY: (value: number) => string;
  /** Top of the y axis at least. */
  least?: number;
  /** CSS pixels. */
  height?: number;
  /** Each point gets a dot: for few points. */
  dots?: boolean;
  className?: string;
}

/** Lines over time or over a number, from zero up. The figures stand beside it as text too: a picture is not the only place. */
export function LineChart(props: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
    chart.current?.setData(dataOf(props));
  });

  const shape = props.series.map(({ label, color }) => `${label} ${color}`).join();
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new UPlot(optionsOf(latest, element), dataOf(latest.current), element);
    };
    draw();
    const resized = new ResizeObserver(() => {
      if (chart.current && element.clientWidth > 0 && element.clientWidth !== chart.current.width)
        chart.current.setSize({ width: element.clientWidth, height: chart.current.height });
    });
    resized.observe(element);
    // A canvas does not follow the theme by itself.
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", draw);
      theme.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);

  return (
    <div role="img" aria-label={props.label} className={classNames("min-w-0", props.className)}>
      <div ref={place} aria-hidden="true" className="min-w-0 overflow-hidden" />
    </div>
  );
}

function dataOf({ x, series }: LineChartProps): UPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])] as UPlot.AlignedData;
}

function optionsOf(latest: { readonly current: LineChartProps }, element: HTMLElement): UPlot.Options {
  const { series, time = false, least = 1, height = 120, dots = false } = latest.current;
  const colour = colourOf(element);
  const axis = {
    stroke: colour("ink-muted"),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(100, element.clientWidth),
    height,
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false },
      y: { range: (_chart, _min, max) => [0, Math.max(least, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        values: (_chart, values) =>
          values.map((value) => latest.current.formatX?.(value) ?? (time ? "" : String(value))),
        // Whole seconds: less would give two places the same words.
        ...(time ? { incrs: [1, 5, 15, 30, 60] } : { splits: () => [...latest.current.x] }),
      },
      { ...axis, size: 48, values: (_chart, values) => values.map((value) => latest.current.formatY(value)) },
    ],
    series: [
      {},
      ...series.map(({ label, color }) => ({
        label,
        stroke: colour(color),
        width: 2,
        points: { show: dots, size: 7, fill: colour(color) },
      })),
    ],
  };
}

/** What a name of the theme is in the scheme that is shown: a canvas knows no light-dark(). */
function colourOf(element: HTMLElement): (name: string) => string {
  const probe = document.createElement("span");
  element.append(probe);
  const resolved = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const names = ["ink-muted", "line", "part-1", "part-2", "part-3"];
  const colours = new Map(names.map((name) => [name, resolved(name)]));
  probe.remove();
  return (name) => colours.get(name) ?? "gray";
}
