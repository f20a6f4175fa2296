/* Reset ticks and choices of submitted forms when the browser shows a cached page after Back. Typed text stays.
   On a page that is fetched again, autocomplete="off" does the same. */
"use strict";

const sentForms = new Set();
document.addEventListener("submit", (event) => sentForms.add(event.target));
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of sentForms) {
    for (const field of form.elements) {
      if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
      else if (field.options) for (const option of field.options) option.selected = option.defaultSelected;
    }
  }
  sentForms.clear();
});
