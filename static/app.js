/* Enhancements of all pages: menus, print buttons, messages of htmx requests. Every page works without them. */
"use strict";

document.documentElement.classList.add("is-htmx"); // CSS hides the buttons that only submit a form which htmx submits on change

/* Print buttons are hidden in the HTML, because they need JavaScript. */
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});

/* On narrow screens the navigation scrolls sideways: bring the current page into view. */
document.addEventListener("DOMContentLoaded", () => {
  const current = document.querySelector(".site-nav [aria-current]");
  if (!current) return;
  const strip = current.closest("ul");
  strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
});

/* Close an open menu on a click outside it and on Escape. */
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

/* On a slow connection, catch up on what the user did before htmx listened: filter forms submit on change, and the
   content of a fold or menu comes when it is opened, once. */
function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type !== "select-one") return "defaultValue" in field && field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
}
document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  for (const content of part.querySelectorAll('details[open] [hx-trigger^="toggle"]')) {
    content.closest("details").dispatchEvent(new Event("toggle"));
  }
  if (part !== document.body) return;
  for (const form of document.querySelectorAll('form[method="get"][hx-trigger^="change"]')) {
    if ([...form.elements].some(isChanged)) htmx.trigger(form, "change");
  }
});

/* Where the messages of a request are shown: in the form or row that sent it, otherwise above the page. */
function messageArea(elt) {
  return elt.closest("form")?.querySelector("[data-form-message]")
    ?? elt.closest("[data-panel]")?.querySelector("[data-form-message]")
    ?? document.getElementById("messages");
}
function showMessage(elt, content) {
  const row = elt.closest(".work-item");
  if (row && !row.querySelector("[data-form-message]")) { // rows come without an empty area: there are many
    const area = document.createElement("div");
    area.className = "form-message";
    area.dataset.formMessage = "";
    row.append(area);
  }
  const area = messageArea(elt);
  area.replaceChildren(content);
  area.scrollIntoView({ block: "nearest" });
}

/* Clear the messages of the previous request. */
document.addEventListener("htmx:beforeRequest", (event) => {
  const { verb, elt } = event.detail.requestConfig;
  if (verb === "post") document.getElementById("messages").replaceChildren();
  if (elt.id !== "live" && messageArea(elt).id !== "messages") messageArea(elt).replaceChildren();
});

/* Show a refusal next to the form that caused it. Never swap a whole page, such as the login page, into a part of one:
   open it after a GET; after a POST keep the form and say that it was not sent. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const { elt, verb, path } = requestConfig;
  if (elt.id === "live") return; // see live.js
  if (xhr.getResponseHeader("X-Refusal")) {
    event.detail.shouldSwap = event.detail.isError = false;
    showMessage(elt, document.createRange().createContextualFragment(xhr.responseText));
    return;
  }
  const isElsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== new URL(path, location.href).pathname;
  const isWhole = /^\s*<!doctype html/i.test(xhr.responseText) && !elt.closest("[hx-select]");
  if (!event.detail.shouldSwap || !(isWhole || (isElsewhere && verb === "get"))) return;
  event.detail.shouldSwap = false;
  if (verb === "get") window.location.assign(xhr.responseURL);
  else showNotSent(event);
});

/* Without a usable answer, show a message and leave the form or the page as it is. */
function showNotSent(event) {
  const { verb, elt } = event.detail.requestConfig;
  if (elt.id === "live") return; // see live.js
  showMessage(elt, document.getElementById(verb === "post" ? "not-sent" : "not-shown").content.cloneNode(true));
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, showNotSent);

/* Without a connection, say that typed text is kept (update.js), and let the browser show a page of ours. */
const offlineNote = document.querySelector("[data-offline]");
for (const name of ["online", "offline"]) addEventListener(name, () => { offlineNote.hidden = navigator.onLine; });
offlineNote.hidden = navigator.onLine;
navigator.serviceWorker?.register("/service-worker.js").catch(() => { /* refused by the browser, or not HTTPS */ });
