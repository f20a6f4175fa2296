/* The update form: hints while it is filled in, and drafts kept in this browser until the update is recorded or the user
   logs out (session.js). The server checks everything again. */
"use strict";

const DRAFT = "draft/";
const DRAFT_DAYS = 14;
const FIELDS = ["status_to", "progress_to", "result", "problem", "next_step", "reason", "links", "unit", "version", "op_id"];

/* If the browser refuses storage, there are no drafts; everything else works. */
function readDraft(key) {
  try { return JSON.parse(localStorage.getItem(DRAFT + key)); } catch { return null; }
}
function saveDraft(key, draft) {
  try { localStorage.setItem(DRAFT + key, JSON.stringify(draft)); } catch { /* full, or forbidden */ }
}
function deleteDraft(key) {
  try { localStorage.removeItem(DRAFT + key); } catch { /* forbidden */ }
  showMarks();
}
function draftKeys() {
  try { return Object.keys(localStorage).filter((key) => key.startsWith(DRAFT)).map((key) => key.slice(DRAFT.length)); } catch { return []; }
}

function valuesOf(form) {
  return Object.fromEntries(FIELDS.filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]));
}

/* Mark the rows of my work that have a draft. */
function showMarks() {
  const work = document.querySelector("[data-draft-rows]");
  if (!work) return;
  const rows = draftKeys().filter((key) => key.startsWith(work.dataset.draftRows))
    .map((key) => [key, document.getElementById(`row-${key.slice(work.dataset.draftRows.length)}`)]).filter(([, row]) => row);
  for (const mark of work.querySelectorAll("[data-draft-mark]")) mark.remove();
  for (const [key, row] of rows) {
    const mark = document.getElementById("draft-mark").content.firstElementChild.cloneNode(true);
    mark.dataset.draftMark = key;
    row.querySelector(".work-what")?.append(mark);
  }
}

/* Fill an empty form with its draft, except the fields that the user filled before this script was loaded: save these.
   A form that the server sent back already holds the typed text: save it as the draft, with the version and op_id of
   the answer. */
function restoreDraft(form) {
  const draft = readDraft(form.dataset.draft);
  const isBound = "bound" in form.dataset, typed = new Set([...form.elements].filter(isChanged).map(({ name }) => name));
  if (draft && !isBound) fillFrom(draft, form, typed);
  if (isBound || typed.size) saveDraft(form.dataset.draft, { at: Date.now(), values: valuesOf(form) });
}
function fillFrom(draft, form, typed) {
  for (const [name, value] of Object.entries(draft.values)) {
    if (form.elements[name] && !typed.has(name)) form.elements[name].value = value;
  }
  for (const details of form.querySelectorAll("details")) {
    if ([...details.querySelectorAll("textarea")].some((field) => field.value)) details.open = true;
  }
  form.querySelector("[data-draft-note]").hidden = false;
}

/* Read a number as the server does: also in Thai digits, with or without a percent sign. */
function parseNumber(text) {
  const arabic = text.normalize("NFKC").replace(/[๐-๙]/g, (digit) => digit.charCodeAt(0) - "๐".charCodeAt(0));
  return Number(arabic.replace(/[\s\u200b-\u200f\u2060\ufeff%]|ร้อยละ|เปอร์เซ็นต์|percent/gi, ""));
}

/* Status and progress before the update and as chosen, and the rules of each status: rows of the table `STATUSES`
   (plan/models/status.py) in the form's data-rules. */
function readMove(form) {
  const { status, progress, rules } = form.dataset;
  const chosen = { from: status, before: Number(progress), to: form.elements.status_to.value };
  return { ...chosen, now: parseNumber(form.elements.progress_to.value), rules: JSON.parse(rules) };
}

/* Highlight the help text of the fields that the chosen status requires. The server decides (`ProgressUpdate.clean`). */
function showRequired(form) {
  if (!form.elements.status_to) return;
  const { from, before, to, now, rules } = readMove(form);
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
  const isChosen = [...form.querySelectorAll("[name=files]")].some((field) => field.files.length);
  return form.elements.links.value.trim() || isChosen || form.querySelector("[name=kept]:checked");
}

/* A status with a fixed progress sets it; the next status gets the earlier progress back. Progress moves an action out of
   a status that allows none. */
function adjustFields(form, field) {
  const { status_to: status, progress_to: progress } = form.elements;
  if (!status) return;
  const { before, to, now, rules } = readMove(form);
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
  adjustFields(form, event.target);
  showRequired(form);
  saveDraft(form.dataset.draft, { at: Date.now(), values: valuesOf(form) });
});

/* Browsers scroll only the line with the cursor into view: show the whole text box above the sticky buttons. */
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".update-form textarea")) event.target.scrollIntoView({ block: "nearest" });
});

/* Runs for the page and for each part that htmx loads. */
document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  const forms = part.matches("form[data-draft]") ? [part] : part.querySelectorAll("form[data-draft]");
  for (const form of forms) {
    restoreDraft(form);
    showRequired(form);
  }
  showMarks();
  const isOpened = part === document.body && location.hash.startsWith("#row-"); // a page with one row open
  const panel = isOpened ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : part;
  if (!panel?.matches("[data-panel]")) return;
  const refused = panel.querySelector("[role=alert], .field-errors");
  const first = refused || panel.querySelector("form[data-draft] :is(input:checked, textarea)") || panel.querySelector("[data-focus]");
  if (refused) refused.setAttribute("tabindex", "-1");
  if (first) first.focus();
});

/* The server says that it recorded a form (HX-Trigger), before the answer replaces the form. Only then delete the draft,
   unless another tab has changed it since; the tabs may show the same kept page, with the same op_id. */
document.addEventListener("recorded", (event) => {
  const form = event.target.closest("form[data-draft]");
  const draft = form && readDraft(form.dataset.draft);
  if (draft && Object.entries(valuesOf(form)).every(([name, value]) => draft.values[name] === value)) deleteDraft(form.dataset.draft);
});
window.addEventListener("storage", showMarks);

/* "No change" for rows with a draft: ask whether to discard the draft. */
function mayDiscard(form, rows) {
  const marks = rows.map((field) => field.closest("[data-panel]")?.querySelector("[data-draft-mark]")).filter(Boolean);
  const keys = marks.map((mark) => mark.dataset.draftMark);
  const refs = keys.map((key) => key.split("/").pop()).join(", ");
  if (keys.length && !window.confirm(form.dataset.confirm.replace("{refs}", refs))) return false;
  keys.forEach(deleteDraft);
  return true;
}
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.dataset.confirm) return;
  const rows = [...form.elements].filter((field) => field.name === "row" && (field === submitter || field.checked));
  if (mayDiscard(form, rows)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("htmx:confirm", (event) => {
  const { elt } = event.detail;
  if (elt.name === "row" && elt.form?.dataset.confirm && !mayDiscard(elt.form, [elt])) event.preventDefault();
});
/* By keyboard: Ctrl+Enter records, and opens the next row where there is one; Escape closes a row. */
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(".update-form");
  if (!form) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    (form.querySelector(".form-next") ?? form.querySelector(".form-send")).click();
  } else if (event.key === "Escape" && !event.isComposing) {
    form.querySelector("[data-close]")?.click();
  }
});

/* Fill the empty fields with the words of the last report, to be edited. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fill-last]");
  if (!link) return;
  event.preventDefault();
  const form = link.closest("form");
  for (const words of form.parentElement.querySelectorAll(".last-report blockquote:last-of-type [data-text]")) {
    const field = form.elements[words.dataset.text];
    if (field && !field.value.trim()) field.value = words.textContent;
  }
  form.elements.result.dispatchEvent(new Event("input", { bubbles: true }));
  form.elements.result.focus();
});

document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector(".upload-progress");
  if (!bar || !event.detail.lengthComputable || event.detail.total < 200000) return;
  bar.hidden = event.detail.loaded >= event.detail.total;
  bar.value = (100 * event.detail.loaded) / event.detail.total;
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-forget-draft]");
  if (link) deleteDraft(link.closest("form").dataset.draft);
}, true);
for (const key of draftKeys()) {
  if (Date.now() - (readDraft(key)?.at ?? 0) > DRAFT_DAYS * 86400000) deleteDraft(key);
}
