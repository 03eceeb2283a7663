// The page: follows the address bar, asks, and hands what came back to those who show it.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { keyOf, markCurrent, showAnswers, showError, showReading, spoken } from "./answers.js";
import { copyCitation } from "./citation.js";
import { DocumentView } from "./document_view.js";
import { byId } from "./dom.js";
import { openFilters, showScope } from "./filters.js";
import { showHome } from "./home.js";
import { setUpKeys, showKeys } from "./keys.js";
import { forgetLibrary, library, within } from "./library.js";
import { NOTHING_OPEN, go, onChange, state } from "./state.js";
import { setUpTheme } from "./theme.js";
import { setUpUpload } from "./upload.js";

const panes = { home: byId("home"), answers: byId("answers"), document: byId("document") };
const view = new DocumentView(panes.document);
const wide = matchMedia("(min-width: 900px)");

let server = { allow_changes: false };
let asked = null; // {key, within, result} of the question whose answers are shown
let asking = null; // AbortController of the question that is on its way

async function follow(now) {
  byId("question").value = now.question;
  showScope(now);
  document.title = now.question ? `${now.question} · docqa` : "docqa";
  const isHome = now.question === "" && now.document === null;
  document.body.dataset.stage = isHome ? "home" : now.question === "" ? "document" : "answers";
  await (now.question ? askOnce(now) : forgetAsked());
  await look(state());
}

async function askOnce(now) {
  const key = JSON.stringify([now.question, now.folder, now.formats, now.documents, now.count]);
  if (asked?.key === key) return;
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  asked = { key, within: [], result: null };
  view.clear();
  showReading(panes.answers);
  try {
    const only = await within(now);
    const result = await api.ask(now.question, only, now.count, signal);
    if (signal.aborted) return;
    result.answers.forEach((answer, n) => (answer.number = n + 1));
    asked = { key, within: only, result };
    showAnswers(panes.answers, result, now);
    panes.answers.scrollTop = 0;
    announce(spoken(result));
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    asked = null;
    showError(panes.answers, error, () => follow(state()));
  }
}

function forgetAsked() {
  asking?.abort();
  asked = null;
  panes.answers.replaceChildren();
}

async function look(now) {
  const target = await targetOf(now);
  const isOpen = target !== null && (wide.matches || now.answer > 0 || now.document !== null);
  document.body.classList.toggle("open", isOpen);
  markCurrent(panes.answers, target && keyOf(target));
  cover(isOpen && !wide.matches);
  if (isOpen) await view.show(target, now);
  else view.clear();
}

/** Keep the keyboard in the document where it covers all else, on a phone; and bring it back. */
function cover(isCovered) {
  const below = [document.querySelector(".top"), panes.answers];
  if (below[0].inert === isCovered) return;
  for (const part of below) part.inert = isCovered;
  (isCovered ? panes.document : panes.answers.querySelector("[aria-current]") ?? panes.answers).focus();
}

/** Return what is looked at (see Target in document_view.js), or null. */
async function targetOf(now) {
  const answers = asked?.result?.answers ?? [];
  const shared = { answers, within: asked?.within ?? [] };
  if (now.document !== null) {
    const known = await library().then(({ documents }) => documents.find((each) => each.id === now.document), () => null);
    return {
      document_id: now.document, title: known?.title ?? null, document: known?.path ?? `document ${now.document}`,
      number: null, start: now.at, end: now.to ?? now.at, page: now.page, ...shared,
    };
  }
  const answer = answers[Math.max(now.answer, 1) - 1];
  if (answer) return { ...answer, ...shared };
  const nearest = asked?.result?.hits[0];
  return nearest ? { ...nearest, number: null, ...shared } : null;
}

function step(by) {
  const links = [...panes.answers.querySelectorAll(".answer-open")].filter((link) => link.checkVisibility());
  if (links.length === 0) return;
  const focused = links.indexOf(document.activeElement);
  const current = focused >= 0 ? focused : links.findIndex((link) => link.hasAttribute("aria-current"));
  const isFirst = focused < 0 && (current < 0 || document.activeElement === byId("question"));
  const next = links[isFirst ? Math.max(current, 0) : Math.min(Math.max(current + by, 0), links.length - 1)];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  if (wide.matches) next.click();
}

function leave() {
  const now = state();
  const { activeElement } = document;
  if (document.body.dataset.stage === "document") go(NOTHING_OPEN);
  else if (panes.document.contains(activeElement) || (!wide.matches && document.body.classList.contains("open"))) {
    if (!wide.matches) return go(NOTHING_OPEN);
    (panes.answers.querySelector("[aria-current]") ?? panes.answers).focus();
  } else if (now.view === "why") go({ view: "page" });
  else if (activeElement === byId("question")) activeElement.blur();
  else focusField();
}

function enter() {
  const { activeElement } = document;
  if (activeElement !== document.body && activeElement !== panes.answers) {
    if (!activeElement.matches(".answer-open")) return activeElement.click();
    if (!activeElement.hasAttribute("aria-current") || !wide.matches) activeElement.click();
  }
  const inside = panes.document.querySelector(".sheet-scroll, .text-scroll, .why") ?? panes.document;
  inside.focus();
}

function current() {
  const now = state();
  return now.document === null ? asked?.result?.answers[Math.max(now.answer, 1) - 1] : null;
}

function copyCurrent() {
  const answer = current();
  const link = answer && panes.answers.querySelector(`[data-key="${keyOf(answer)}"]`);
  if (link) void copyCitation(answer, link.closest("li").querySelector(".copy"));
}

function why() {
  const now = state();
  if (now.question) go({ view: now.view === "why" ? "page" : "why" });
}

function focusField() {
  byId("question").focus();
  byId("question").select();
}

const bindings = [
  { keys: ["/"], does: "Ask", run: focusField },
  { keys: ["j", "ArrowDown"], shown: ["j", "↓"], does: "Next answer", run: () => step(1) },
  { keys: ["k", "ArrowUp"], shown: ["k", "↑"], does: "Answer before", run: () => step(-1) },
  { keys: ["Enter"], does: "Into the document", run: enter },
  { keys: ["Escape"], shown: ["Esc"], does: "Back", run: leave },
  { keys: ["n", "ArrowRight"], shown: ["n", "→"], does: "Next page", run: () => view.turnPage(1) },
  { keys: ["p", "ArrowLeft"], shown: ["p", "←"], does: "Page before", run: () => view.turnPage(-1) },
  { keys: ["+", "="], shown: ["+"], does: "Larger", run: () => view.zoom(1) },
  { keys: ["-"], does: "Smaller", run: () => view.zoom(-1) },
  { keys: ["0"], does: "Fit the width", run: () => view.zoom(0) },
  { keys: ["o"], does: "Outline", run: () => view.toggleOutline() },
  { keys: ["w"], does: "Why this answer?", run: why },
  { keys: ["c"], does: "Copy the answer with its place", run: copyCurrent },
  { keys: ["d"], does: "Documents and filters", run: () => openFilters(server.allow_changes) },
  { keys: ["?"], does: "This list", run: () => showKeys(bindings) },
];

function setUp() {
  setUpTheme(byId("theme"));
  setUpKeys(bindings);
  byId("help").addEventListener("click", () => showKeys(bindings));
  byId("scope").addEventListener("click", () => openFilters(server.allow_changes));
  byId("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = byId("question").value.trim();
    if (question) go({ ...NOTHING_OPEN, question });
  });
  onChange(follow);
  wide.addEventListener("change", () => look(state()));
  void follow(state());
  void showServer();
}

async function showServer() {
  try {
    server = await api.status();
    if (server.allow_changes) setUpUpload(documentsChanged);
    await showHome(panes.home, server);
  } catch (error) {
    showError(panes.home, error, showServer);
  }
}

async function documentsChanged() {
  forgetLibrary();
  server = await api.status();
  await showHome(panes.home, server);
}

setUp();
