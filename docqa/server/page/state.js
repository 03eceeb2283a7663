// What the address bar says: question, filters, and what is looked at. The whole page follows it, so
// that links can be shared and back and forward work.

/**
 * @typedef {object} State
 * @property {string} question
 * @property {string} folder - ask only documents under it; "" for all
 * @property {string[]} formats - ask only documents of these formats; none for all
 * @property {string[]} documents - ask only these paths; none for all
 * @property {number} count - how many answers at most
 * @property {number} answer - the answer looked at, from 1; 0 where none was chosen
 * @property {?number} document - id of a document looked at for its own sake
 * @property {?number} at - offset in that document
 * @property {?number} to - offset where the passage looked at ends
 * @property {?number} page - the page looked at, where it is not the answer's own
 * @property {"page"|"text"|"why"} view
 */

export const FEW = 3;
export const MANY = 10;

/** @type {State} */
const START = Object.freeze({
  question: "", folder: "", formats: [], documents: [], count: FEW,
  answer: 0, document: null, at: null, to: null, page: null, view: "page",
});

/** What is looked at, back at its start; for a new question or another answer. */
export const NOTHING_OPEN = Object.freeze({ answer: 0, document: null, at: null, to: null, page: null, view: "page" });

const listeners = [];

/** Return what a query string says. */
export function parse(search) {
  const values = new URLSearchParams(search);
  const number = (name, least) => {
    const value = Number(values.get(name) ?? NaN);
    return Number.isSafeInteger(value) && value >= least ? value : null;
  };
  const view = values.get("view");
  return {
    question: (values.get("q") ?? "").trim(),
    folder: values.get("in") ?? "",
    formats: values.getAll("format"),
    documents: values.getAll("only"),
    count: Math.min(number("k", 1) ?? FEW, MANY),
    answer: number("n", 1) ?? 0,
    document: number("doc", 0),
    at: number("at", 0),
    to: number("to", 0),
    page: number("page", 1),
    view: view === "text" || view === "why" ? view : "page",
  };
}

/** Return the query string of a state: the shortest that `parse` reads back. */
export function toSearch(state) {
  const values = new URLSearchParams();
  const put = (name, value, absent) => value !== absent && values.append(name, String(value));
  put("q", state.question, "");
  put("in", state.folder, "");
  for (const format of state.formats) values.append("format", format);
  for (const path of state.documents) values.append("only", path);
  put("k", state.count, FEW);
  put("n", state.answer, 0);
  put("doc", state.document, null);
  put("at", state.at, null);
  put("to", state.to, null);
  put("page", state.page, null);
  put("view", state.view, "page");
  return values.size ? `?${values}` : "./";
}

/** Return what the address bar says now. */
export function state() {
  return { ...START, ...parse(location.search) };
}

/**
 * Change the address bar, and with it the page.
 *
 * @param {Partial<State>} changes
 * @param {{replace?: boolean}} how - `replace` makes no entry in the history: for turning pages
 */
export function go(changes, { replace = false } = {}) {
  const before = state();
  const next = toSearch({ ...before, ...changes });
  if (next === toSearch(before)) return;
  history[replace ? "replaceState" : "pushState"](null, "", next);
  tell();
}

/** Return the address of the page after changes, for links. */
export function hrefAfter(changes) {
  return toSearch({ ...state(), ...changes });
}

/** Call a function after each change, also by back and forward. */
export function onChange(listener) {
  listeners.push(listener);
}

function tell() {
  const now = state();
  for (const listener of listeners) listener(now);
}

addEventListener("popstate", tell);
