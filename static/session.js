/* Logins and logouts in other tabs. Loaded by the site's pages and the admin. */
"use strict";

/* A login in another tab changes the CSRF token: send the current one. */
const csrfCookie = `${document.querySelector('meta[name="csrf-cookie"]').content}=`;
function currentToken() {
  return document.cookie.split("; ").find((each) => each.startsWith(csrfCookie))?.slice(csrfCookie.length);
}
document.addEventListener("submit", (event) => {
  const field = event.target.elements.namedItem("csrfmiddlewaretoken");
  const token = currentToken();
  if (field && token) field.value = token;
}, true);
document.addEventListener("htmx:configRequest", (event) => {
  // A reload by a timer has no event of a user: it does not keep the login alive (accounts/sessions/middleware.py).
  if (!event.detail.triggeringEvent) event.detail.headers["X-Background"] = "1";
  const token = currentToken();
  if (!token) return;
  event.detail.headers["x-csrftoken"] = token;
  if (event.detail.formData) event.detail.formData.delete("csrfmiddlewaretoken");
});

/* At logout delete the user's drafts (update.js) from this browser; keep those of other users. */
document.addEventListener("submit", (event) => {
  const owner = event.target.dataset.logout;
  if (!owner) return;
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(`draft/${owner}/`)) localStorage.removeItem(key);
  } catch { /* no storage, no drafts */ }
});
