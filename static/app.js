/* What the pages do beyond plain links and forms. Everything works without it. */
"use strict";

document.documentElement.classList.add("is-htmx"); // the pages renew themselves: a button that only does so is hidden

/* A button that prints: there only where it can. */
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});

/* On a narrow screen the menu is a strip: the page that is shown is in sight on it. */
document.addEventListener("DOMContentLoaded", () => {
  const current = document.querySelector(".site-nav [aria-current]");
  if (!current) return;
  const strip = current.closest("ul");
  strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
});

/* A menu closes when the reader looks elsewhere. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.user-menu[open], details.bell[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.user-menu[open], details.bell[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/* A form that answers to each change answers too to one made before it listened, on a slow line. */
function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type !== "select-one") return "defaultValue" in field && field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
}
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) return;
  for (const form of document.querySelectorAll('form[method="get"][hx-trigger^="change"]')) {
    if ([...form.elements].some(isChanged)) htmx.trigger(form, "change");
  }
});

/* What was said of the last form is not said of this one. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post") document.getElementById("messages").replaceChildren();
});

/* What was to renew the page was led elsewhere, as to the login: go there, and nothing is swapped. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (requestConfig.verb !== "get" || requestConfig.elt.id === "live" || !xhr.responseURL) return;
  const asked = new URL(requestConfig.path, location.href).pathname;
  if (new URL(xhr.responseURL).pathname === asked) return;
  event.detail.shouldSwap = false;
  window.location.assign(xhr.responseURL);
});

/* No answer, or one that is none: say so; what was typed, or shown, stays where it is. */
function tellNotSent(event) {
  const { verb, elt } = event.detail.requestConfig;
  if (elt.id === "live") return; // it says so itself
  const place = document.getElementById("messages");
  place.replaceChildren(document.getElementById(verb === "post" ? "not-sent" : "not-shown").content.cloneNode(true));
  place.scrollIntoView({ block: "center" });
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, tellNotSent);
