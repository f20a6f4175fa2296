/* A login or logout in one tab, seen from the pages that are open in others. The site's pages and the admin's load it. */
"use strict";

/* A login changes the token of every form of this browser: send the one it holds now. */
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
  const token = currentToken();
  if (!token) return;
  event.detail.headers["x-csrftoken"] = token;
  if (event.detail.formData) event.detail.formData.delete("csrfmiddlewaretoken");
});

/* Users who log out leave none of their own drafts (update.js) in this browser; those of other users stay. */
document.addEventListener("submit", (event) => {
  const owner = event.target.dataset.logout;
  if (!owner) return;
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(`draft/${owner}/`)) localStorage.removeItem(key);
  } catch { /* forbidden: then there are no drafts */ }
});
