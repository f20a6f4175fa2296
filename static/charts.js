/* Draws each canvas.chart from the JSON beside it (data-source names its id), in the colours of the page. */
"use strict";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const looks = {
  expected: () => ({ borderColor: token("--sand-600"), borderDash: [7, 5], pointStyle: "rect" }),
  actual: () => ({ borderColor: token("--indigo-700"), backgroundColor: token("--indigo-700"), pointStyle: "circle" }),
};

function draw(canvas) {
  const source = JSON.parse(document.getElementById(canvas.dataset.source).textContent);
  Chart.defaults.font.family = token("--font");
  Chart.defaults.font.size = 15;
  Chart.defaults.color = token("--ink");
  new Chart(canvas, {
    type: source.type,
    data: {
      labels: source.labels,
      datasets: source.series.map((series) => ({ label: series.label, data: series.data, borderWidth: 3, pointRadius: 3, tension: 0, ...looks[series.kind]() })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: { y: { min: 0, max: 100, ticks: { callback: (value) => `${value} %` } }, x: { ticks: { maxRotation: 50 } } },
      plugins: { legend: { labels: { usePointStyle: true, boxHeight: 8 } } },
    },
  });
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("canvas.chart").forEach(draw));
