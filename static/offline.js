/* The page without a connection: name the drafts that this browser keeps (update.js), and try again. */
"use strict";

function keptDrafts() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith("draft/")).map((key) => key.split("/").pop());
  } catch { return []; }
}

const refs = keptDrafts();
if (refs.length) {
  document.querySelector("[data-refs]").textContent = refs.sort().join(", ");
  document.querySelector("[data-drafts]").hidden = false;
}
/* The answer to a form has no address of its own: open it again instead of sending the form once more. */
document.querySelector("[data-again]").href = location.href;
addEventListener("online", () => location.replace(location.href));
