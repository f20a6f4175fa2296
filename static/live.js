/* The overview on a wall renews itself: only what changed is touched, so that scroll, focus, opened tables and charts stay.
   When it cannot, it says since when it stands still. */
"use strict";

Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !old.matches?.("canvas.chart"); // charts.js draws them anew
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));

function tell(id) {
  document.getElementById("messages").replaceChildren(...document.getElementById(id).cloneNode(true).children);
}
const isOurs = (event) => event.detail.requestConfig?.elt.id === "live";

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => { if (isOurs(event)) tell("stale"); });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  const isHere = new URL(event.detail.xhr.responseURL).pathname === new URL(event.detail.requestConfig.path, location.href).pathname;
  if (isHere || !event.detail.shouldSwap) return;
  event.detail.shouldSwap = false;
  tell("logged-out");
});
