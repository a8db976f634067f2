/**
 * Plots as SVG.
 *
 * @module
 */
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Series } from "./statistics.js";

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** One point; its height is drawn as the median. */
export interface Point {
  readonly x: number;
  readonly y: Series;
}

/** Lines of points. */
export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: Readonly<Record<string, readonly Point[]>>;
}

/** The plot as SVG, both axes logarithmic where that helps. */
export function toSvg({ title, x, y, series }: Plot): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 640, height: 360 });
  const values = Object.values(series).flat();
  const wide = (numbers: number[]) => (Math.max(...numbers) / Math.min(...numbers) > 20 ? "log" : "value");
  const xType = wide(values.map((point) => point.x));
  const yType = wide(values.map((point) => point.y.median));
  chart.setOption({
    animation: false,
    backgroundColor: "#fff",
    title: { text: title, left: "center", textStyle: { fontSize: 15 } },
    legend: { bottom: 0 },
    grid: { left: 70, right: 30, top: 50, bottom: 70 },
    xAxis: { type: xType, name: x, nameLocation: "middle", nameGap: 26, minInterval: 1, splitLine: { show: false } },
    yAxis: { type: yType, name: y, nameLocation: "end", min: yType === "value" ? 0 : undefined },
    series: Object.entries(series).map(([name, points]) => ({
      type: "line",
      name,
      data: points.map((point) => [point.x, point.y.median]),
      symbolSize: 7,
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
