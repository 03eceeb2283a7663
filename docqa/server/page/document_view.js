// The document beside the answers: its head with outline and views, and one of the views below it.

import * as api from "./api.js";
import { element, iconButton, present } from "./dom.js";
import { showExplanation } from "./explain.js";
import { outlineList, showCurrent } from "./outline.js";
import { PdfView } from "./pdf_view.js";
import { NOTHING_OPEN, go, hrefAfter } from "./state.js";
import { TextView } from "./text_view.js";
import { follow } from "./answers.js";
import { documentName } from "./words.js";

/**
 * @typedef {object} Target - what is looked at
 * @property {number} document_id
 * @property {?string} title
 * @property {string} document - its path
 * @property {?number} number - the answer's, from 1; null where it is no answer
 * @property {?number} start - offsets of the words; null where a document is looked at as a whole
 * @property {?number} end
 * @property {?number} page
 * @property {object[]} answers - all answers, with `number`
 */

/** The pane on the right, or what slides over the answers on a phone. */
export class DocumentView {
  #pane;
  #shown = ""; // document and view that are drawn
  #view = null; // PdfView, TextView or null
  #turn = 0; // of the target that is being shown: a later one wins
  #hasPictures = false;
  #outline = [];
  #isOutlineOpen = false;

  constructor(pane) {
    this.#pane = pane;
  }

  /** Empty the pane. */
  clear() {
    this.#turn += 1;
    this.#shown = "";
    this.#view = null;
    this.#pane.replaceChildren();
  }

  /**
   * Show a target.
   *
   * @param {Target} target
   * @param now - the state
   */
  async show(target, now) {
    const turn = ++this.#turn;
    const drawn = JSON.stringify([target.document_id, now.view, now.view === "why" && [now.question, target.within]]);
    try {
      if (drawn !== this.#shown || !this.#view) {
        this.#shown = drawn;
        await this.#open(target, now, turn);
      }
      if (turn !== this.#turn) return;
      this.#head(target, now);
      await this.#view?.show(target, now);
    } catch (error) {
      if (turn === this.#turn) this.#showError(error, now);
    }
  }

  /** Open the view that a state names; the explanation is all there is to show of its own. */
  async #open(target, now, turn) {
    this.#view = null;
    this.#showNote("Opening…");
    this.#head(target, now);
    const { outline, pages } = await api.outline(target.document_id);
    if (turn !== this.#turn) return;
    this.#hasPictures = hasPictures(target, pages);
    this.#outline = outline;
    if (now.view !== "why") {
      const View = this.#hasPictures && now.view === "page" ? PdfView : TextView;
      this.#view = new View(this.#body(), target.document_id, { outline, pages });
      return;
    }
    this.#showNote("Reading every token again…");
    this.#head(target, now);
    const explanation = await api.explain(now.question, target.within, now.count);
    if (turn === this.#turn) showExplanation(this.#body(), explanation);
  }

  #showNote(text) {
    this.#body().replaceChildren(element("p", { class: "note" }, text));
  }

  #showError(error, now) {
    this.#shown = "";
    const asText = now.view === "page" && this.#hasPictures
      && element("a", { class: "plain-button", href: hrefAfter({ view: "text" }), click: follow({ view: "text" }) }, "Show the text");
    this.#body().replaceChildren(
      element("div", { class: "notice wrong", role: "alert" }, element("h2", {}, "This cannot be shown"), element("p", {}, error.message), asText),
    );
  }

  /** Turn pages, where there are any. */
  turnPage(by) {
    if (this.#view instanceof PdfView) this.#view.turn(by);
  }

  /** Zoom, where there are pages: 1 in, -1 out, 0 back to the pane's width. */
  zoom(step) {
    if (this.#view instanceof PdfView) this.#view.zoom(step);
  }

  /** Open or close the outline. */
  toggleOutline() {
    this.#pane.querySelector(".outline-button")?.click();
  }

  #body() {
    const body = this.#pane.querySelector(".document-body");
    if (body) return body;
    const made = element("div", { class: "document-body" });
    this.#pane.replaceChildren(element("header", { class: "document-head" }), made);
    return made;
  }

  #head(target, now) {
    const head = this.#pane.querySelector(".document-head");
    const focused = head.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    head.replaceChildren(...present([
      iconButton("left", "Back to the answers", () => go(NOTHING_OPEN), { class: "icon-button back" }),
      element(
        "div",
        { class: "document-name" },
        element("h2", { dir: "auto", title: target.document }, documentName(target)),
        element("p", { class: "document-path" }, target.document),
      ),
      element("nav", { class: "segments", "aria-label": "View" }, ...this.#views(now)),
      this.#view !== null && this.#outline.length > 0 && this.#outlineButton(target),
      iconButton("download", "Save the file", () => api.save(target.document_id, target.document.split("/").at(-1)), { "data-key": "save" }),
    ]));
    if (focused) head.querySelector(`[data-key="${focused}"]`)?.focus();
    this.#drawOutline(target);
  }

  *#views(now) {
    const names = { ...(this.#hasPictures ? { page: "Page", text: "Text" } : { page: "Text" }), ...(now.question ? { why: "Why" } : {}) };
    const shown = now.view === "text" && !this.#hasPictures ? "page" : now.view;
    for (const [view, name] of Object.entries(names)) {
      yield element("a", { href: hrefAfter({ view }), class: "segment", "data-key": view, "aria-current": shown === view ? "page" : null, click: follow({ view }) }, name);
    }
  }

  #outlineButton(target) {
    const toggle = () => {
      this.#isOutlineOpen = !this.#isOutlineOpen;
      button.setAttribute("aria-expanded", String(this.#isOutlineOpen));
      this.#drawOutline(target);
    };
    const button = iconButton("outline", "Outline", toggle, {
      class: "icon-button outline-button", "aria-expanded": String(this.#isOutlineOpen), "data-key": "outline",
    });
    return button;
  }

  #drawOutline(target) {
    const drawn = this.#body().querySelector(".outline");
    const key = `${target.document_id} ${target.start}`;
    const isWanted = this.#isOutlineOpen && this.#view !== null && this.#outline.length > 0;
    if (isWanted && drawn?.dataset.key === key) return;
    drawn?.remove();
    if (!isWanted) return;
    const outline = outlineList(this.#outline, target.start ?? 0, (heading) => this.#goTo(heading));
    outline.dataset.key = key;
    this.#body().prepend(outline);
    showCurrent(outline);
  }

  #goTo(heading) {
    if (this.#view instanceof PdfView && heading.page) go({ page: heading.page }, { replace: true });
    else this.#view?.goTo(heading.start);
    if (matchMedia("(max-width: 899px)").matches) this.toggleOutline();
  }
}

/** Return whether the server draws a document's pages: it does so for PDF files, not for slides. */
function hasPictures({ document }, pages) {
  return pages !== null && /\.pdf(\.gz)?$/i.test(document);
}
