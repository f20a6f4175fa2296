/* My work: the next row in a fold, counts that lead to their section, the number of ticked rows. */
"use strict";

/* The next row is not on the page, for example in a fold: open it on a page of its own. */
document.addEventListener("htmx:oobErrorNoTarget", (event) => {
  const form = event.detail.content.querySelector?.("form.update-form");
  if (form) window.location.assign(form.getAttribute("action"));
});

/* A count leads to its section, and opens it if it is folded. */
document.addEventListener("click", (event) => {
  const link = event.target.closest(".work-jumps a");
  const fold = link && document.getElementById(link.hash.slice(1))?.closest("details");
  if (fold) fold.open = true;
});

function countTicked() {
  const output = document.querySelector("[data-ticked]");
  if (output) output.textContent = document.querySelectorAll(".pick:checked").length;
}
document.addEventListener("change", countTicked);
document.addEventListener("htmx:load", countTicked);
