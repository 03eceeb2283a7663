// The answers to a question: the words in their sentence, where they stand, how sure they are. Where
// there are none, the nearest passages.

import * as codePoints from "./code_points.js";
import { copyCitation } from "./citation.js";
import { element, icon } from "./dom.js";
import { FEW, MANY, NOTHING_OPEN, go, hrefAfter } from "./state.js";
import { count, documentName, fileName, flowing, pageOrLine, partSearched, surely, sureness } from "./words.js";

// Code points of a sentence on either side of the answer's words.
const AROUND = 180;
// Code points of a passage.
const PASSAGE = 280;

/** Show that a question is being read. */
export function showReading(pane) {
  pane.setAttribute("aria-busy", "true");
  pane.replaceChildren(
    element("p", { class: "summary" }, "Reading…"),
    element("div", { class: "skeletons", "aria-hidden": "true" }, ...[0, 1, 2].map(() => element("div", { class: "skeleton" }, element("i"), element("i"), element("i")))),
  );
}

/** Show what went wrong, with a way to try again. */
export function showError(pane, error, again) {
  pane.removeAttribute("aria-busy");
  pane.replaceChildren(
    element(
      "div",
      { class: "notice wrong", role: "alert" },
      element("h2", {}, "That did not work"),
      element("p", {}, error.message),
      element("button", { type: "button", class: "plain-button", click: again }, "Try again"),
    ),
  );
}

/**
 * Show the answers to a question.
 *
 * @param result - as the API gives it: `{question, answers, hits, windows_read, searched, language_note, seconds}`
 * @param now - the state
 */
export function showAnswers(pane, result, now) {
  pane.removeAttribute("aria-busy");
  pane.replaceChildren(...missing(result), ...(result.answers.length ? answersOf(result, now) : noAnswer(result)));
  if (result.language_note) pane.prepend(element("div", { class: "notice" }, element("p", {}, result.language_note.text)));
}

/** Mark the card that is looked at, or none; keys are those of `keyOf`. */
export function markCurrent(pane, key) {
  for (const link of pane.querySelectorAll(".answer-open")) {
    const isCurrent = link.dataset.key === key;
    if (isCurrent) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (isCurrent) link.closest("li").scrollIntoView({ block: "nearest" });
  }
}

/** Return a sentence for screen readers: how many answers, and the first. */
export function spoken(result) {
  const [first] = result.answers;
  const searched = partSearched(result);
  const part = searched === null ? "" : `Only ${searched} parts of the collection were searched. `;
  const note = result.language_note ? ` ${result.language_note.text}` : "";
  if (!first) return `${part}No answer was found. The nearest passages are listed.${note}`;
  const place = [documentName(first), pageOrLine(first)].filter(Boolean).join(", ");
  return `${part}${count(result.answers.length, "answer")}. First: ${flowing(first.text)}. ${place}, ${surely(first)}.`;
}

/** Return what tells a card from the others: the answer's number, or the passage's place. */
export function keyOf({ number = null, document_id: document, start }) {
  return number === null ? `passage ${document} ${start}` : `answer ${number}`;
}

function* answersOf(result, now) {
  yield element(
    "p",
    { class: "summary" },
    `${count(result.answers.length, "answer")} from ${count(result.windows_read, "passage")} in ${result.seconds.toFixed(2)} s`,
  );
  yield element("ol", { class: "cards" }, ...result.answers.map(card));
  if (now.count < MANY && result.answers.length >= FEW) {
    yield element("a", { class: "plain-button more", href: hrefAfter({ count: MANY }), click: follow({ count: MANY }) }, "More answers");
  }
  if (result.hits.length) {
    yield element(
      "details",
      { class: "passages" },
      element("summary", {}, "All passages that were found"),
      passages(result.hits),
    );
  }
}

/** Say so where shards of the server's collection did not answer. */
function* missing(result) {
  const part = partSearched(result);
  if (part === null) return;
  yield element(
    "div",
    { class: "notice wrong", role: "alert" },
    element("h2", {}, "Not all documents were searched"),
    element("p", {}, `${part} parts of the collection answered. Reload the page in a moment to search the rest.`),
  );
}

function* noAnswer(result) {
  yield element(
    "div",
    { class: "notice" },
    element("h2", {}, "No answer in these documents"),
    element("p", {}, result.hits.length ? "These passages come nearest. Other words, or fewer filters, may find more." : "Nothing comes near it. Other words, or fewer filters, may find more."),
  );
  yield passages(result.hits);
}

function card(answer) {
  const changes = { ...NOTHING_OPEN, answer: answer.number };
  const copyButton = element(
    "button",
    { type: "button", class: "text-button copy", click: () => copyCitation(answer, copyButton) },
    icon("copy"), "Copy",
  );
  const why = { ...changes, view: "why" };
  return element(
    "li",
    { class: "card" },
    element(
      "a",
      { class: "answer-open", href: hrefAfter(changes), "data-key": keyOf(answer), click: follow(changes) },
      element("span", { class: "quote", dir: "auto" }, ...sentence(answer)),
      place(answer),
    ),
    element(
      "div",
      { class: "card-foot" },
      sure(answer),
      element("a", { class: "text-button", href: hrefAfter(why), click: follow(why) }, "Why?"),
      copyButton,
    ),
  );
}

/** Return the words in their sentence; what is far from them is left out. */
function sentence({ context, context_start: start, context_end: end }) {
  const before = codePoints.slice(context, 0, start);
  const after = codePoints.slice(context, end);
  return [
    flowing(shortenedFront(before)),
    element("mark", {}, flowing(codePoints.slice(context, start, end))),
    flowing(shortened(after, AROUND)),
  ];
}

function shortenedFront(text) {
  if (text.length <= AROUND) return text;
  const kept = text.slice(-AROUND);
  return `… ${kept.slice(kept.search(/\s/) + 1)}`;
}

function shortened(text, most) {
  if (text.length <= most) return text;
  const kept = text.slice(0, most);
  const space = kept.search(/\s\S*$/);
  return `${space > 0 ? kept.slice(0, space) : kept} …`;
}

function place(found) {
  const name = documentName(found);
  return element(
    "span",
    { class: "place" },
    element("span", { class: "place-document", title: found.document }, name),
    headings(found).map((heading) => element("span", { class: "place-heading", dir: "auto" }, heading)),
    pageOrLine(found) && element("span", { class: "place-page" }, pageOrLine(found)),
    found.title && element("span", { class: "unseen" }, `, file ${fileName(found.document)}`),
  );
}

/** Return the headings above a place, without the document's title. */
function headings({ heading_path: path, title }) {
  return path[0] === title ? path.slice(1) : path;
}

function sure(answer) {
  const share = sureness(answer);
  const bar = element("span", { class: "sure-bar", "aria-hidden": "true" }, element("i"));
  bar.firstChild.style.inlineSize = `${Math.max(4, share * 100)}%`;
  const meaning = answer.probability === null
    ? "How sure the reader is, among all that was read"
    : "How often answers that look like this one are right, as measured for the reader";
  return element("span", { class: "sure", title: meaning }, bar, surely(answer));
}

function passages(hits) {
  return element(
    "ol",
    { class: "cards passages-list" },
    ...hits.map((hit) => {
      const changes = { ...NOTHING_OPEN, document: hit.document_id, at: hit.start, to: hit.end, page: hit.page };
      return element(
        "li",
        { class: "card" },
        element(
          "a",
          { class: "answer-open", href: hrefAfter(changes), "data-key": keyOf(hit), click: follow(changes) },
          element("span", { class: "quote small", dir: "auto" }, opening(hit) + shortened(flowing(hit.text).trim(), PASSAGE)),
          place(hit),
        ),
      );
    }),
  );
}

/** Return the sign that a passage goes on from what stands before it; none where a sentence begins. */
function opening({ start, text }) {
  return start > 0 && !/^\s*[\p{Lu}\p{N}“"(]/u.test(text) ? "… " : "";
}

/** Return a listener that follows a link within the page, and leaves new tabs to the browser. */
export function follow(changes) {
  return (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(changes);
  };
}
