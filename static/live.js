/* Refresh of the wall overview: only changed nodes are replaced, so that scroll position, focus, open tables and charts
   stay. If a refresh fails, the page says how old it is. */
"use strict";

Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !old.matches?.("canvas.chart"); // charts.js redraws them
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));

function showNotice(id) {
  document.getElementById("messages").replaceChildren(...document.getElementById(id).cloneNode(true).children);
}
const isRefresh = (event) => event.detail.requestConfig?.elt.id === "live";

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => { if (isRefresh(event)) showNotice("stale"); });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isRefresh(event)) return;
  const isHere = new URL(event.detail.xhr.responseURL).pathname === new URL(event.detail.requestConfig.path, location.href).pathname;
  if (isHere || !event.detail.shouldSwap) return;
  event.detail.shouldSwap = false;
  showNotice("logged-out");
});
