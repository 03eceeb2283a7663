// The dialog with the documents: which are asked, and each to look at, or to remove where allowed.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, element, iconButton, present } from "./dom.js";
import { folders, forgetLibrary, formats, library, passes } from "./library.js";
import { NOTHING_OPEN, go, state } from "./state.js";
import { count, fileName, formatName, size } from "./words.js";

// Rows that are shown at once; the search finds the others.
const ROWS = 200;

// What became of a file that is not read as it is now.
const STATES = { failed: "could not be read", stale: "older version" };

/** Show what is asked on the button in the field. */
export function showScope(now) {
  const label = scopeLabel(now);
  byId("scope-label").textContent = label;
  byId("scope").setAttribute("aria-label", `Documents asked: ${label}`);
  byId("scope").classList.toggle("narrowed", isNarrowed(now));
}

/** Open the dialog. */
export async function openFilters(mayChange) {
  if (document.querySelector("dialog[open]")) return;
  const search = element("input", { type: "search", id: "document-search", placeholder: "Find a document", autocomplete: "off", "aria-label": "Find a document" });
  const body = element("div", { class: "library" }, element("p", { class: "note" }, "Loading the list…"));
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "library-title" },
    element(
      "header",
      { class: "dialog-head" },
      element("h2", { id: "library-title" }, "Documents"),
      search,
      iconButton("close", "Close", () => dialog.close()),
    ),
    body,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const draw = async () => {
    try {
      drawLibrary(body, await library(), await found(search.value), search.value, { dialog, draw, mayChange });
    } catch (error) {
      body.replaceChildren(element("p", { class: "note wrong", role: "alert" }, error.message));
    }
  };
  search.addEventListener("input", draw);
  await draw();
}

/** Return the documents that a search of the list names; of a large index, the server searches. */
async function found(words) {
  const { documents, total } = await library();
  if (!words.trim()) return documents;
  if (documents.length < total) return (await api.documents(0, ROWS, words.trim())).documents;
  const wanted = words.trim().toLowerCase();
  return documents.filter((each) => `${each.title ?? ""} ${each.path}`.toLowerCase().includes(wanted));
}

function drawLibrary(body, { documents, total }, listed, words, context) {
  const now = state();
  const focused = document.activeElement?.dataset?.key;
  const rows = listed.filter((each) => now.documents.length > 0 || passes(each, now));
  body.replaceChildren(...present([
    element("div", { class: "library-filters" }, ...folderChoice(documents, now, context), ...formatChoice(documents, now, context)),
    element(
      "div",
      { class: "library-note" },
      element("span", {}, noteOf(rows.length, total, words, now)),
      isNarrowed(now) && element("button", { type: "button", class: "text-button", "data-key": "clear", click: () => change({ folder: "", formats: [], documents: [] }, context) }, "Ask all documents"),
    ),
    element("ul", { class: "rows", tabindex: "0", "aria-label": "Documents" }, ...rows.slice(0, ROWS).map((each) => row(each, now, context))),
    rows.length > ROWS && element("p", { class: "note" }, `The first ${ROWS} are shown. Find others by name.`),
  ]));
  if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function noteOf(shown, total, words, now) {
  if (now.documents.length) return `${count(now.documents.length, "document")} chosen`;
  if (words.trim()) return `${count(shown, "document")} found`;
  return isNarrowed(now) ? `${shown} of ${count(total, "document")} are asked` : `${count(total, "document")}, all are asked`;
}

function* folderChoice(documents, now, context) {
  const choices = folders(documents);
  if (choices.length === 0) return;
  const select = element(
    "select",
    { id: "folder", "data-key": "folder", change: () => change({ folder: select.value, documents: [] }, context) },
    element("option", { value: "" }, "All folders"),
    ...choices.map(({ folder, number }) => element("option", { value: folder, selected: folder === now.folder }, `${folder} (${number})`)),
  );
  yield element("label", { class: "choice", for: "folder" }, "Folder", select);
}

function* formatChoice(documents, now, context) {
  const choices = formats(documents);
  if (choices.length < 2) return;
  yield element(
    "div",
    { class: "chips", role: "group", "aria-label": "Formats" },
    ...choices.map(({ format, number }) => {
      const isOn = now.formats.includes(format);
      const others = now.formats.filter((each) => each !== format);
      return element(
        "button",
        {
          type: "button", class: "chip", "aria-pressed": String(isOn), "data-key": `format ${format}`,
          click: () => change({ formats: isOn ? others : [...others, format], documents: [] }, context),
        },
        formatName(format), element("span", { class: "chip-count" }, String(number)),
      );
    }),
  );
}

function row(each, now, context) {
  const isChosen = now.documents.includes(each.path);
  const others = now.documents.filter((path) => path !== each.path);
  const name = each.title || each.name;
  const box = element("input", {
    type: "checkbox", checked: isChosen, "aria-label": `Ask only ${name}`, "data-key": `only ${each.path}`,
    change: () => change({ documents: isChosen ? others : [...others, each.path], folder: "", formats: [] }, context),
  });
  const isRead = each.state !== "failed";
  const facts = [formatName(each.format), each.pages ? count(each.pages, "page") : null, size(each.size)];
  if (each.state !== "ok") facts.unshift(STATES[each.state] ?? each.state);
  return element(
    "li",
    { class: "row" },
    box,
    element(
      "button",
      { type: "button", class: "row-open", disabled: !isRead, click: () => { context.dialog.close(); go({ ...NOTHING_OPEN, document: each.id }); } },
      element("span", { class: "row-name", dir: "auto" }, name),
      element("span", { class: "row-path" }, each.path),
    ),
    element("span", { class: "row-facts", title: each.reason }, facts.filter(Boolean).join(" · ")),
    context.mayChange && iconButton("bin", `Remove ${name}`, () => removeAfterAsking(each, name, context)),
  );
}

async function removeAfterAsking(each, name, context) {
  if (!confirm(`Remove “${name}” from the index?`)) return;
  try {
    await api.remove(each.id);
  } catch (error) {
    announce(error.message);
    alert(error.message);
    return;
  }
  api.forgetAnswers();
  forgetLibrary();
  announce(`${name} was removed.`);
  await context.draw();
}

function change(changes, context) {
  go(state().question ? { ...NOTHING_OPEN, ...changes } : changes);
  void context.draw();
}

function isNarrowed(now) {
  return now.folder !== "" || now.formats.length > 0 || now.documents.length > 0;
}

function scopeLabel(now) {
  if (now.documents.length === 1) return fileName(now.documents[0]);
  if (now.documents.length) return count(now.documents.length, "document");
  const parts = [now.folder && `${fileName(now.folder)}/`, now.formats.map(formatName).join(", ")].filter(Boolean);
  return parts.join(" · ") || "All documents";
}
