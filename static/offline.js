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
/* Open the page again, also after a form that was sent: its text is kept as a draft. */
function openAgain() {
  location.replace(location.href);
}
document.querySelector("[data-again]").href = location.href;
addEventListener("online", openAgain);
/* A browser often says that there is a connection before one works: go on trying. */
setInterval(() => { if (navigator.onLine) openAgain(); }, 5000);
