/* A page that the browser kept whole and shows again after Back: in a form that was sent, nothing stays ticked or chosen.
   What was typed stays. A page that is fetched again is covered by autocomplete="off". */
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
