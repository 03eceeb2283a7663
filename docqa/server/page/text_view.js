// A document's text around a place, with the answers marked; more of it comes where one scrolls.

import * as api from "./api.js";
import * as codePoints from "./code_points.js";
import { element } from "./dom.js";
import { reflowed } from "./words.js";

// Code points that come at once.
const PIECE = 8000;
// A heading's line may have a number in front of its words.
const NUMBER = 16;

/** A stretch of a document that grows at both ends. */
export class TextView {
  #id;
  #outline;
  #target = null;
  #low = 0;
  #high = 0;
  #length = Infinity;
  #busy = false;
  #ends;
  #turn = 0; // of the stretch that is being loaded: a later one wins
  #text = element("article", { class: "text", dir: "auto" });
  #top = element("p", { class: "more-text" });
  #bottom = element("p", { class: "more-text" });
  #scroll = element("div", { class: "text-scroll", tabindex: "0", role: "group", "aria-label": "Text of the document" }, this.#top, this.#text, this.#bottom);

  constructor(body, id, { outline }) {
    this.#id = id;
    this.#outline = outline;
    for (const other of body.querySelectorAll(":scope > :not(.outline)")) other.remove();
    body.append(this.#scroll);
    this.#ends = new IntersectionObserver((seen) => this.#grow(seen), { root: this.#scroll, rootMargin: "600px" });
    this.#ends.observe(this.#top);
    this.#ends.observe(this.#bottom);
  }

  /** Show a target's words, in the middle of the pane. */
  async show(target) {
    this.#target = target;
    await this.goTo(target.start ?? 0, target.end ?? target.start ?? 0);
  }

  /** Show the text from an offset on, with a little before it. */
  async goTo(start, end = start) {
    if (this.#text.firstChild && this.#low <= start && end <= this.#high) {
      this.#redraw();
    } else {
      const turn = ++this.#turn;
      const part = await api.text(this.#id, start - PIECE / 2, end + PIECE / 2);
      if (turn !== this.#turn) return;
      this.#low = part.start;
      this.#high = part.end;
      this.#length = part.length;
      this.#text.replaceChildren(this.#piece(part.text, part.start));
    }
    this.#showEnds();
    this.#scrollTo(start);
  }

  async #grow(seen) {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting || this.#busy || !this.#text.firstChild) continue;
      this.#busy = true;
      try {
        const hasGrown = await (target === this.#top ? this.#growUp() : this.#growDown());
        this.#showEnds();
        // What came to sight in the meantime was not heard: both ends are looked at anew.
        for (const end of hasGrown ? [this.#top, this.#bottom] : []) {
          this.#ends.unobserve(end);
          this.#ends.observe(end);
        }
      } catch (error) {
        target.textContent = error.message;
      } finally {
        this.#busy = false;
      }
    }
  }

  async #growUp() {
    if (this.#low === 0) return false;
    const turn = this.#turn;
    const part = await api.text(this.#id, Math.max(0, this.#low - PIECE), this.#low);
    if (turn !== this.#turn) return false;
    const height = this.#scroll.scrollHeight;
    this.#low = part.start;
    this.#text.prepend(this.#piece(part.text, part.start));
    this.#scroll.scrollTop += this.#scroll.scrollHeight - height;
    return true;
  }

  async #growDown() {
    if (this.#high >= this.#length) return false;
    const turn = this.#turn;
    const part = await api.text(this.#id, this.#high, this.#high + PIECE);
    if (turn !== this.#turn) return false;
    this.#high = part.end;
    this.#text.append(this.#piece(part.text, part.start));
    return true;
  }

  #showEnds() {
    this.#top.textContent = this.#low > 0 ? "…" : "";
    this.#bottom.textContent = this.#high < this.#length ? "…" : "End of the document";
  }

  #redraw() {
    let start = this.#low;
    for (const old of [...this.#text.children]) {
      const text = old.textContent;
      old.replaceWith(this.#piece(text, start));
      start += codePoints.length(text);
    }
  }

  #piece(text, start) {
    const runs = codePoints.cut(reflowed(text), start, [...this.#ranges(text, start)]);
    let offset = start;
    return element("span", {}, ...runs.map((run) => {
      const at = offset;
      offset += codePoints.length(run.text);
      if (run.range === null) return run.text;
      return element(run.range.tag, { class: run.range.class, "data-start": at, ...run.range.properties }, run.text);
    }));
  }

  *#ranges(text, first) {
    const { number, start, end, answers } = this.#target;
    if (start !== null) yield { start, end, tag: "mark", class: number === null ? "passage" : "current" };
    for (const answer of answers) {
      if (answer.document_id === this.#id && answer.number !== number) {
        yield { start: answer.start, end: answer.end, tag: "mark", class: "other" };
      }
    }
    const last = first + codePoints.length(text);
    for (const heading of this.#outline) {
      if (heading.start < first || heading.start >= last) continue;
      yield {
        start: heading.start, end: headingEnd(heading, codePoints.slice(text, heading.start - first)), tag: "span", class: "heading",
        properties: { role: "heading", "aria-level": Math.min(heading.level + 2, 6), "data-level": Math.min(heading.level, 4) },
      };
    }
  }

  #scrollTo(offset) {
    const marked = this.#text.querySelector("mark.current, mark.passage");
    const isThere = marked && Number(marked.dataset.start) === offset;
    const place = isThere ? marked : this.#text.querySelector(`[data-start="${offset}"]`);
    if (!place) {
      this.#scroll.scrollTop = 0;
      return;
    }
    const above = isThere ? this.#scroll.clientHeight / 3 : 24;
    this.#scroll.scrollTop += place.getBoundingClientRect().top - this.#scroll.getBoundingClientRect().top - above;
  }
}

/** Return where a heading ends in its document: with its line, or after its words where it has several. */
function headingEnd(heading, following) {
  const words = codePoints.length(heading.text);
  const line = codePoints.length(following.split("\n", 1)[0]);
  return heading.start + (line >= words && line <= words + NUMBER ? line : words);
}
