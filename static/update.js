/* The form of an update: the rules speak while it is filled in, and what is typed is kept in this browser until it is
   recorded or its author logs out (session.js). The server says all of it again. */
"use strict";

const DRAFT = "draft/";
const DRAFT_DAYS = 14;
const FIELDS = ["status_to", "progress_to", "result", "problem", "next_step", "reason", "links", "unit", "version", "op_id"];

/* The browser may refuse to keep anything: then there are no drafts, and nothing else is different. */
function kept(key) {
  try { return JSON.parse(localStorage.getItem(DRAFT + key)); } catch { return null; }
}
function keep(key, draft) {
  try { localStorage.setItem(DRAFT + key, JSON.stringify(draft)); } catch { /* full, or forbidden */ }
}
function forget(key) {
  try { localStorage.removeItem(DRAFT + key); } catch { /* forbidden */ }
  showMarks();
}
function drafts() {
  try { return Object.keys(localStorage).filter((key) => key.startsWith(DRAFT)).map((key) => key.slice(DRAFT.length)); } catch { return []; }
}

function valuesOf(form) {
  return Object.fromEntries(FIELDS.filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]));
}

function showMarks() {
  for (const mark of document.querySelectorAll("[data-draft-mark]")) mark.hidden = !kept(mark.dataset.draftMark);
}

/* A fresh form takes up what was typed into it before. A form that comes back with an answer holds the words already:
   its draft takes over the version and the id that the answer brought. */
function takeUp(form) {
  const draft = kept(form.dataset.draft);
  if ("bound" in form.dataset) keep(form.dataset.draft, { at: Date.now(), values: valuesOf(form) });
  if (!draft || "bound" in form.dataset) return;
  for (const [name, value] of Object.entries(draft.values)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  for (const details of form.querySelectorAll("details")) {
    if ([...details.querySelectorAll("textarea")].some((field) => field.value)) details.open = true;
  }
  form.querySelector("[data-draft-note]").hidden = false;
}

/* A number as the server reads it: in Thai digits too, with or without a percent sign. */
function numberIn(text) {
  const arabic = text.normalize("NFKC").replace(/[๐-๙]/g, (digit) => digit.charCodeAt(0) - "๐".charCodeAt(0));
  return Number(arabic.replace(/[\s\u200b-\u200f\u2060\ufeff%]|ร้อยละ|เปอร์เซ็นต์|percent/gi, ""));
}

/* Which fields the chosen status needs (the rules of the plan); the help under each says why. */
function speak(form) {
  const { status_to: status, progress_to: progress } = form.elements;
  if (!status) return;
  const rank = { NOT_STARTED: 0, IN_PROGRESS: 1, BLOCKED: 1, DONE: 2, CANCELLED: 3 };
  const [from, before, to, now] = [form.dataset.status, Number(form.dataset.progress), status.value, numberIn(progress.value)];
  const hasEvidence = form.elements.links.value.trim() || form.elements.files.files.length || form.querySelector("[name=kept]:checked");
  const moved = from !== to || before !== now;
  const isBack = to !== "CANCELLED" && (rank[to] < rank[from] || now < before);
  const due = {
    progress_to: (to === "NOT_STARTED" && now > 0) || (to === "DONE" && now !== 100) || now > 100 || now < 0,
    result: to === "DONE" && moved && !hasEvidence && !form.elements.result.value.trim(),
    problem: to === "BLOCKED" && from !== "BLOCKED" && !form.elements.problem.value.trim(),
    reason: (isBack || (to === "CANCELLED" && from !== "CANCELLED")) && !form.elements.reason.value.trim(),
  };
  for (const [name, isDue] of Object.entries(due)) {
    const help = document.getElementById(`${form.elements[name].id}_helptext`);
    if (help) help.classList.toggle("is-due", isDue);
  }
  if (due.reason) form.querySelector("[data-reason]").open = true;
}

/* What follows of itself: done is 100, not started is 0, and what has progress has begun. */
function follow(form, field) {
  const { status_to: status, progress_to: progress } = form.elements;
  if (!status) return;
  if (field.name === "status_to") {
    if (field.value === "DONE") progress.value = 100;
    else if (field.value === "NOT_STARTED") progress.value = 0;
    else if (numberIn(progress.value) === 100 && Number(form.dataset.progress) < 100) progress.value = form.dataset.progress;
  } else if (field.name === "progress_to" && status.value === "NOT_STARTED" && numberIn(progress.value) > 0) {
    status.value = "IN_PROGRESS";
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || !form.dataset.draft) return;
  follow(form, event.target);
  speak(form);
  keep(form.dataset.draft, { at: Date.now(), values: valuesOf(form) });
});

/* A browser brings only the line with the cursor into view: a text box is to stand above the buttons as a whole. */
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".update-form textarea")) event.target.scrollIntoView({ block: "nearest" });
});

/* Each part of a page that arrives, the first page too. */
document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  const forms = part.matches("form[data-draft]") ? [part] : part.querySelectorAll("form[data-draft]");
  for (const form of forms) {
    takeUp(form);
    speak(form);
  }
  showMarks();
  if (!part.matches("[data-panel]")) return;
  const refused = part.querySelector("[role=alert], .field-errors");
  const first = refused || part.querySelector("form[data-draft] :is(input:checked, textarea)");
  if (refused) refused.setAttribute("tabindex", "-1");
  if (first) first.focus();
});

/* The server says that it recorded a form (HX-Trigger), before the answer takes the form's place: no other sign will do.
   A draft that another tab wrote in the meantime stays. */
document.addEventListener("recorded", (event) => {
  const form = event.target.closest("form[data-draft]");
  const draft = form && kept(form.dataset.draft);
  if (draft && draft.values.op_id === form.elements.op_id.value) forget(form.dataset.draft);
});
window.addEventListener("storage", showMarks);

/* "No change" for rows with a draft: the user confirms that it may go. */
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.dataset.asks) return;
  const chosen = [submitter, ...form.elements].filter((field) => field?.name === "row" && (field === submitter || field.checked));
  const marks = chosen.map((field) => field.closest("[data-panel]")?.querySelector("[data-draft-mark]:not([hidden])")).filter(Boolean);
  if (!marks.length) return;
  const keys = marks.map((mark) => mark.dataset.draftMark);
  if (window.confirm(form.dataset.asks.replace("{refs}", keys.map((key) => key.split("/").pop()).join(", ")))) keys.forEach(forget);
  else {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector(".upload-progress");
  if (!bar || !event.detail.lengthComputable || event.detail.total < 200000) return;
  bar.hidden = event.detail.loaded >= event.detail.total;
  bar.value = (100 * event.detail.loaded) / event.detail.total;
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-forget-draft]");
  if (link) forget(link.closest("form").dataset.draft);
}, true);
for (const key of drafts()) {
  if (Date.now() - (kept(key)?.at ?? 0) > DRAFT_DAYS * 86400000) forget(key);
}
