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

/* The status and the progress before and as chosen, and the rules of the plan for each status: rows of the table
   `STATUSES` (plan/models/status.py), which the form brings along. */
function moveOf(form) {
  const { status, progress, rules } = form.dataset;
  const chosen = { from: status, before: Number(progress), to: form.elements.status_to.value };
  return { ...chosen, now: numberIn(form.elements.progress_to.value), rules: JSON.parse(rules) };
}

/* Which fields the chosen status needs; the help under each says why. The server decides (`ProgressUpdate.clean`). */
function speak(form) {
  if (!form.elements.status_to) return;
  const { from, before, to, now, rules } = moveOf(form);
  const { progress, needs, is_proved_by_evidence: isProved, keeps_progress: keepsProgress, rank } = rules[to];
  const isMoved = from !== to || before !== now;
  const isBack = rank < rules[from].rank || (now < before && !keepsProgress);
  const due = { progress_to: (progress !== null && now !== progress) || now > 100 || now < 0 };
  for (const name of ["result", "problem", "reason"]) {
    const isNeeded = name === needs && (isProved ? isMoved && !hasEvidence(form) : from !== to);
    due[name] = (isNeeded || (name === "reason" && isBack)) && !form.elements[name].value.trim();
  }
  for (const [name, isDue] of Object.entries(due)) {
    const help = document.getElementById(`${form.elements[name].id}_helptext`);
    if (help) help.classList.toggle("is-due", isDue);
  }
  if (due.reason) form.querySelector("[data-reason]").open = true;
}

function hasEvidence(form) {
  const { links, files } = form.elements;
  return links.value.trim() || files.files.length || form.querySelector("[name=kept]:checked");
}

/* A status that has only one progress sets it; one that follows it gets the progress of before back. Progress takes an
   action out of a status that allows none. */
function follow(form, field) {
  const { status_to: status, progress_to: progress } = form.elements;
  if (!status) return;
  const { before, to, now, rules } = moveOf(form);
  if (field.name === "status_to") {
    if (rules[to].progress !== null) progress.value = rules[to].progress;
    else if (now === 100 && before < 100) progress.value = before;
  } else if (field.name === "progress_to" && rules[to].progress === 0 && now > 0) {
    status.value = Object.keys(rules).find((each) => rules[each].rank > rules[to].rank && rules[each].progress === null);
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
