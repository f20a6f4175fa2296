/* Draw each canvas.chart from the JSON element whose id is in data-source, in the colours of the page. Fold the table with
   the same figures, which is open without JavaScript, and open it for print, unless it `is-short`: on paper too the chart
   does for it. The library is large, so it is fetched when a chart is on the screen or the user begins to do
   something. A page printed before that has the tables. */
"use strict";

const { library, isPaper } = document.currentScript.dataset;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* Each status has a pattern too, for readers who cannot tell the colours apart and for black-and-white print. */
function pattern(colour, paper, lines) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = paper;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.6;
  for (const [x1, y1, x2, y2] of lines) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}
const RISING = [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]];
const FALLING = [[-2, -2, 10, 10], [6, -2, 10, 2], [-2, 6, 2, 10]];
const DOTTED = [[3.2, 4, 4.8, 4]];
const PATTERNS = { rising: RISING, falling: FALLING, crossed: [...RISING, ...FALLING], dotted: DOTTED };

/* Colours and pattern of a series, from the data or from `looks` below. A number on a pattern gets a plain background
   (`plate`). */
function part({ fill, lines, text, pattern: name }) {
  const plate = text.toLowerCase() === "#ffffff" ? fill : token("--paper");
  return { backgroundColor: name ? pattern(lines, fill, PATTERNS[name]) : fill, borderColor: token("--paper"), text, plate };
}
const looks = {
  expected: () => ({ borderColor: token("--sand-600"), backgroundColor: token("--sand-600"), borderDash: [7, 5], pointStyle: "rect" }),
  actual: () => ({ borderColor: token("--indigo-700"), backgroundColor: token("--indigo-700"), pointStyle: "circle" }),
  forecast: () => ({ borderColor: token("--forecast"), backgroundColor: token("--paper"), borderDash: [2, 4], pointStyle: "triangle" }),
  begins: () => part({ fill: token("--indigo-100"), lines: token("--indigo-500"), text: token("--ink"), pattern: "rising" }),
  runs: () => part({ fill: token("--indigo-700"), text: token("--paper") }),
  ends: () => part({ fill: token("--sand-400"), text: token("--ink") }),
};

/* Write the counts into bars with enough room. */
const counts = {
  id: "counts",
  afterDatasetsDraw(chart) {
    if (chart.config.type !== "bar") return;
    const pen = chart.ctx;
    pen.font = `600 14px ${token("--font")}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    chart.data.datasets.forEach((series, place) => {
      chart.getDatasetMeta(place).data.forEach((bar, row) => {
        const value = series.data[row];
        const { x, y, base, width: thickness } = bar.getProps(["x", "y", "base", "width"], true);
        const isFlat = chart.options.indexAxis === "y";
        const text = String(value);
        const width = pen.measureText(text).width + 8;
        if (!value || Math.abs(isFlat ? x - base : y - base) < 20 || (!isFlat && thickness < width - 8)) return;
        const [cx, cy] = isFlat ? [(x + base) / 2, y] : [x, (y + base) / 2];
        if (typeof series.backgroundColor === "object") {
          pen.fillStyle = series.plate;
          pen.fillRect(cx - width / 2, cy - 9, width, 18);
        }
        pen.fillStyle = series.text;
        pen.fillText(text, cx, cy + 1);
      });
    });
  },
};

/* Mark each meeting by a line with its number in the list below the chart. */
const meetings = {
  id: "meetings",
  beforeDatasetsDraw(chart) {
    const { top, bottom } = chart.chartArea, pen = chart.ctx;
    (chart.meetings ?? []).forEach((day, place) => {
      const x = chart.scales.x.getPixelForValue(day);
      pen.save();
      pen.strokeStyle = pen.fillStyle = token("--sand-600");
      pen.setLineDash([2, 3]);
      pen.beginPath();
      pen.moveTo(x, bottom);
      pen.lineTo(x, top + 16);
      pen.stroke();
      pen.font = `600 13px ${token("--font")}`;
      pen.textAlign = "center";
      pen.textBaseline = "top";
      pen.fillText(String(place + 1), x, top);
      pen.restore();
    });
  },
};

/* Split a label of two lines; a narrow chart shows only the first, and a long second line ends in an ellipsis. */
function lines(label, width) {
  const [first, ...rest] = label.split("\n");
  return rest.length && width > 480 ? [first, ...rest.map((line) => shorten(line, width / 16))] : first;
}
function shorten(text, most) {
  const letters = [...new Intl.Segmenter("th").segment(text)].map(({ segment }) => segment); // a letter with its marks
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

function draw(canvas) {
  const text = document.getElementById(canvas.dataset.source).textContent;
  const before = Chart.getChart(canvas);
  if (before?.source === text) return;
  before?.destroy();
  const source = JSON.parse(text);
  const isLine = source.type === "line";
  Chart.defaults.locale = "th-u-nu-latn"; // Arabic digits as on the page, whatever the browser's language
  Chart.defaults.font.family = token("--font");
  Chart.defaults.font.size = 15;
  Chart.defaults.color = token("--ink");
  const values = { min: 0, max: isLine ? 100 : undefined, stacked: source.stacked, ticks: isLine ? { callback: (value) => `${value} %` } : { precision: 0 } };
  const days = source.days; // lines are drawn over days, with ticks at month ends
  const time = days && {
    type: "linear",
    min: days[0],
    max: days[days.length - 1],
    afterBuildTicks(axis) { axis.ticks = days.filter((_, place) => place !== source.now).map((value) => ({ value })); },
    ticks: { maxRotation: 50, autoSkip: true, callback: (value) => source.months[days.indexOf(value)] },
  };
  const names = time || { stacked: source.stacked, ticks: { autoSkip: false, callback(value) { return lines(this.getLabelForValue(value), this.chart.width); } } };
  const chart = new Chart(canvas, {
    type: source.type,
    plugins: [counts, meetings],
    data: {
      labels: source.labels,
      datasets: source.series.map((series) => ({ label: series.label, data: days ? series.data.map((y, place) => ({ x: days[place], y })) : series.data, links: series.links, borderWidth: isLine ? 3 : 1, pointRadius: 3, maxBarThickness: 34, tension: 0, ...(series.look ? part(series.look) : looks[series.kind]()) })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: source.horizontal ? "y" : "x",
      interaction: isLine ? { mode: "index", intersect: false } : { mode: "nearest", intersect: true },
      scales: source.horizontal ? { x: values, y: names } : { y: values, x: names },
      plugins: { tooltip: { callbacks: isLine ? { title: (items) => source.labels[items[0].dataIndex] } : {} }, legend: { display: source.series.length > 1, labels: { usePointStyle: isLine, boxHeight: isLine ? 8 : 12 } } },
      onClick(event, found, chart) {
        const link = found[0] && chart.data.datasets[found[0].datasetIndex].links?.[found[0].index];
        if (link) window.location.assign(link);
      },
      onHover(event, found, chart) {
        const series = found[0] && chart.data.datasets[found[0].datasetIndex];
        chart.canvas.classList.toggle("is-link", Boolean(series?.links));
      },
    },
  });
  chart.source = text;
  if (!source.meetings?.length) return;
  chart.meetings = source.meetings;
  chart.draw();
}

const unfolded = new Set(); // tables that the reader opened stay open when the page is refreshed
const tableOf = (canvas) => canvas.closest("section")?.querySelector("details.chart-table");

/* Fold the tables of the charts that are new on the page. */
function foldTables() {
  for (const canvas of document.querySelectorAll("canvas.chart:not([data-is-folded])")) {
    canvas.dataset.isFolded = "";
    const table = tableOf(canvas);
    if (table && !unfolded.has(table.id)) table.open = false;
  }
}

function drawAll() {
  if (!window.Chart) return;
  for (const chart of Object.values(Chart.instances)) if (!chart.canvas.isConnected) chart.destroy();
  document.querySelectorAll("canvas.chart").forEach(draw);
}

const nearScreen = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && fetchLibrary());
const SIGNS = ["pointermove", "pointerdown", "keydown", "scroll"];

function fetchLibrary() {
  nearScreen.disconnect();
  for (const sign of SIGNS) window.removeEventListener(sign, fetchLibrary);
  if (document.querySelector("script[data-is-library]")) return;
  const script = document.createElement("script");
  script.src = library;
  script.dataset.isLibrary = "";
  script.addEventListener("load", () => document.fonts.ready.then(drawAll));
  script.addEventListener("error", () => {
    script.remove(); // tried again when the page shows other charts
    document.querySelectorAll("details.chart-table").forEach((table) => { table.open = true; });
  });
  document.head.append(script);
}

function showCharts() {
  foldTables();
  drawAll();
  if (isPaper !== undefined && document.querySelector("canvas.chart")) fetchLibrary();
  if (!document.querySelector("script[data-is-library]")) document.querySelectorAll("canvas.chart").forEach((canvas) => nearScreen.observe(canvas));
}

document.addEventListener("click", (event) => {
  const table = event.target.closest("details.chart-table > summary")?.parentElement;
  if (table) unfolded[table.open ? "delete" : "add"](table.id);
});
window.addEventListener("beforeprint", () => {
  const isDrawn = window.Chart && Object.keys(Chart.instances).length > 0; // not while the fonts are still on their way
  for (const table of document.querySelectorAll(`details.chart-table:not([open]${isDrawn ? ", .is-short" : ""})`)) {
    table.open = true;
    table.dataset.folded = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const table of document.querySelectorAll("details.chart-table[data-folded]")) {
    table.open = false;
    delete table.dataset.folded;
  }
});

for (const sign of SIGNS) window.addEventListener(sign, fetchLibrary, { passive: true });
document.addEventListener("DOMContentLoaded", showCharts);
document.addEventListener("htmx:afterSwap", showCharts);
