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

/* Where something is said of a request: in the form or the row that sent it, otherwise above the page. */
function placeOf(elt) {
  return elt.closest("form")?.querySelector("[data-said]") ?? elt.closest("[data-panel]")?.querySelector("[data-said]")
    ?? document.getElementById("messages");
}
function say(elt, content) {
  const place = placeOf(elt);
  place.replaceChildren(content);
  place.scrollIntoView({ block: "nearest" });
}

/* What was said of the last form is not said of this one. */
document.addEventListener("htmx:beforeRequest", (event) => {
  const { verb, elt } = event.detail.requestConfig;
  if (verb === "post") document.getElementById("messages").replaceChildren();
  if (elt.id !== "live" && placeOf(elt).id !== "messages") placeOf(elt).replaceChildren();
});

/* A refusal is said beside what asked. A whole page never takes the place of a part: the browser goes to it, such as to the
   login; the form that met one stays as it is. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const { elt, verb, path } = requestConfig;
  if (elt.id === "live") return; // it says so itself
  if (xhr.getResponseHeader("X-Refusal")) {
    event.detail.shouldSwap = event.detail.isError = false;
    say(elt, document.createRange().createContextualFragment(xhr.responseText));
    return;
  }
  const isElsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== new URL(path, location.href).pathname;
  const isWhole = /^\s*<!doctype html/i.test(xhr.responseText) && !elt.closest("[hx-select]");
  if (!event.detail.shouldSwap || !(isWhole || (isElsewhere && verb === "get"))) return;
  event.detail.shouldSwap = false;
  if (verb === "get") window.location.assign(xhr.responseURL);
  else tellNotSent(event);
});

/* No answer, or one that is none: say so; what was typed, or shown, stays where it is. */
function tellNotSent(event) {
  const { verb, elt } = event.detail.requestConfig;
  if (elt.id === "live") return; // it says so itself
  say(elt, document.getElementById(verb === "post" ? "not-sent" : "not-shown").content.cloneNode(true));
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, tellNotSent);
