/* Warn two minutes before the login ends, and say when it has ended. The server knows how long it lasts: another tab may
   have been used since. Loaded by the site's pages and the admin (components/session_end.html), after session.js. */
"use strict";

const endDialog = document.getElementById("session-end");
const WARNING_SECONDS = 120, ASK_AGAIN_SECONDS = 10;
let shownState = "", askTimer;

function showSessionState(state) {
  if (state === shownState) return; // a dialog that the user closed stays closed
  shownState = state;
  for (const part of endDialog.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  endDialog.setAttribute("aria-labelledby", `session-end-${state}`);
  if (!state) endDialog.close();
  else if (!endDialog.open) endDialog.showModal();
  if (state) endDialog.querySelector(`[data-state="${state}"] :is(button, a)`).focus();
}

function showSessionLeft({ left, is_last: isLast }) {
  const isNear = left <= WARNING_SECONDS;
  showSessionState(!isNear ? "" : !left ? "ended" : isLast ? "last" : "warning");
  if (left) askLater(isNear ? Math.min(left + 1, ASK_AGAIN_SECONDS) : left - WARNING_SECONDS);
}

function askLater(seconds) {
  clearTimeout(askTimer);
  askTimer = setTimeout(askSessionLeft, 1000 * seconds);
}

/* "X-Background": this request is not a use of the site. POST keeps the login alive. */
async function askSessionLeft({ method = "GET" } = {}) {
  try {
    const headers = { "X-Background": "1", "X-CSRFToken": currentToken() ?? "" };
    const response = await fetch(endDialog.dataset.url, { method, headers });
    if (!response.ok) throw new Error(response.status);
    showSessionLeft(await response.json());
  } catch {
    askLater(ASK_AGAIN_SECONDS);
  }
}

endDialog.addEventListener("click", ({ target }) => {
  if ("stay" in target.dataset) askSessionLeft({ method: "POST" });
  else if ("close" in target.dataset) endDialog.close();
});
/* After sleep, or when the user comes back from another tab. */
document.addEventListener("visibilitychange", () => { if (!document.hidden) askSessionLeft(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) askSessionLeft(); });
if (endDialog.dataset.left > WARNING_SECONDS) askLater(endDialog.dataset.left - WARNING_SECONDS);
else askSessionLeft();
