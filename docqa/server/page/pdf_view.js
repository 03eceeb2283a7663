// A page of a PDF as a picture, with boxes exactly over the words of the answers.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { element, iconButton } from "./dom.js";
import { NOTHING_OPEN, go } from "./state.js";
import { flowing } from "./words.js";

const ZOOMS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3];
// A page is this wide at most while it fits the pane, in CSS pixels.
const COMFORTABLE = 920;
// Pictures come in a few widths, so that the server renders each page seldom.
const WIDTH_STEP = 300;
const WIDEST = 2400;
// A page that fits a phone cannot be read: there it starts larger, at the answer.
const NARROW = 480;
const NARROW_ZOOM = 1.25;
// A box stands off from its words by so many points, so that its border cuts none of them; less at
// the sides, where a comma may follow.
const OFF = 1;
const OFF_SIDE = 0.6;

/** A page, with what turns and zooms it. */
export class PdfView {
  #id;
  #pages;
  #target = null;
  #page = 0;
  #zoom = 1;
  #turn = 0; // of the page that is being drawn: a later one wins
  #sheet = element("div", { class: "sheet" });
  #scroll = element("div", { class: "sheet-scroll", tabindex: "0", role: "group" });
  #field;
  #previous = iconButton("left", "Previous page", () => this.turn(-1));
  #next = iconButton("right", "Next page", () => this.turn(1));
  #percent = element("button", { type: "button", class: "zoom-value", title: "Fit the width", click: () => this.zoom(0) }, "100%");

  constructor(body, id, { pages }) {
    this.#id = id;
    this.#pages = pages;
    this.#field = element("input", { type: "text", inputmode: "numeric", class: "page-number", "aria-label": "Page", size: String(pages).length, change: () => this.#jump() });
    this.#scroll.append(this.#sheet);
    const bar = element(
      "div",
      { class: "page-bar", role: "toolbar", "aria-label": "Page" },
      this.#previous,
      element("span", { class: "page-of" }, this.#field, element("span", {}, `of ${pages}`)),
      this.#next,
      element("span", { class: "bar-gap" }),
      iconButton("minus", "Smaller", () => this.zoom(-1)),
      this.#percent,
      iconButton("plus", "Larger", () => this.zoom(1)),
    );
    for (const other of body.querySelectorAll(":scope > :not(.outline)")) other.remove();
    body.append(element("div", { class: "pages" }, bar, this.#scroll));
    if (body.clientWidth < NARROW) this.#zoom = NARROW_ZOOM;
    this.#percent.textContent = `${Math.round(this.#zoom * 100)}%`;
    new ResizeObserver(() => this.#resize()).observe(this.#scroll);
  }

  /** Show a target's page, or the page that the state names. */
  async show(target, now) {
    const page = Math.min(now.page ?? target.page ?? 1, this.#pages);
    const isSame = page === this.#page && this.#target?.number === target.number && this.#target?.start === target.start;
    this.#target = target;
    this.#page = page;
    if (!isSame || !this.#sheet.firstChild) await this.#draw();
  }

  /** Turn so many pages on, or back. */
  turn(by) {
    const page = this.#page + by;
    if (page < 1 || page > this.#pages) return;
    go({ page: page === this.#target.page ? null : page }, { replace: true });
    announce(`Page ${page} of ${this.#pages}`);
  }

  /** Zoom: 1 in, -1 out, 0 back to the pane's width. */
  zoom(step) {
    const at = ZOOMS.findIndex((zoom) => zoom >= this.#zoom);
    this.#zoom = step === 0 ? 1 : ZOOMS[Math.min(Math.max(at + step, 0), ZOOMS.length - 1)];
    this.#percent.textContent = `${Math.round(this.#zoom * 100)}%`;
    this.#resize();
    this.#toAnswer();
  }

  #jump() {
    const page = Math.round(Number(this.#field.value));
    if (page >= 1 && page <= this.#pages) go({ page: page === this.#target.page ? null : page }, { replace: true });
    else this.#field.value = String(this.#page);
  }

  async #draw() {
    const turn = ++this.#turn;
    const page = this.#page;
    this.#field.value = String(page);
    this.#previous.disabled = page <= 1;
    this.#next.disabled = page >= this.#pages;
    this.#scroll.setAttribute("aria-label", `Page ${page} of ${this.#pages}`);
    this.#sheet.classList.add("loading");
    const { width, height } = await api.pageSize(this.#id, page);
    if (!this.#isWanted(turn)) return;
    this.#sheet.style.aspectRatio = `${width} / ${height}`;
    this.#sheet.dataset.page = String(page);
    this.#resize();
    const picture = element("img", { alt: `Page ${page}`, draggable: "false", width: Math.round(width), height: Math.round(height) });
    picture.src = await api.picture(this.#id, page, this.#pictureWidth());
    const [passage] = await Promise.all([this.#passage(page, width, height), picture.decode()]);
    if (!this.#isWanted(turn)) return;
    this.#sheet.classList.remove("loading");
    this.#sheet.replaceChildren(picture, ...passage, ...this.#boxes(page, width, height));
    this.#toAnswer();
    for (const near of [page + 1, page - 1]) {
      if (near >= 1 && near <= this.#pages) api.picture(this.#id, near, this.#pictureWidth()).catch(() => {});
    }
  }

  /** Return whether nothing else is shown by now, of this view or in its place. */
  #isWanted(turn) {
    return turn === this.#turn && this.#scroll.isConnected;
  }

  /** Return the lines of the passage that is looked at, where it is no answer; together, so that lines that touch do not darken. */
  async #passage(page, width, height) {
    const { number, start, end } = this.#target;
    if (number !== null || start === null || end <= start) return [];
    const boxes = await api.boxes(this.#id, start, end).catch(() => []); // the page is there without them
    const lines = boxes.filter((each) => each.page === page).map((box) => placed(element("div", { class: "line" }), box, width, height));
    return lines.length ? [element("div", { class: "passage" }, ...lines)] : [];
  }

  *#boxes(page, width, height) {
    for (const answer of this.#target.answers) {
      if (answer.document_id !== this.#id) continue;
      const isCurrent = answer.number === this.#target.number;
      for (const box of answer.boxes.filter((each) => each.page === page)) {
        const drawn = isCurrent
          ? element("div", { class: "box current" })
          : element("button", { type: "button", class: "box", title: `Answer ${answer.number}: ${flowing(answer.text)}`, "aria-label": `Answer ${answer.number}: ${flowing(answer.text)}`, click: () => go({ ...NOTHING_OPEN, answer: answer.number }) });
        yield placed(drawn, box, width, height);
      }
    }
  }

  #resize() {
    if (!this.#scroll.isConnected) return;
    const width = Math.round(this.#fitting() * this.#zoom);
    if (this.#sheet.style.width === `${width}px`) return;
    this.#sheet.style.width = `${width}px`;
    const picture = this.#sheet.querySelector("img");
    const wanted = this.#pictureWidth();
    if (!picture || picture.naturalWidth >= wanted) return;
    api.picture(this.#id, this.#page, wanted).then((sharper) => (picture.src = sharper), () => {}); // the picture there is stays
  }

  #fitting() {
    const style = getComputedStyle(this.#scroll);
    const free = this.#scroll.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.min(Math.max(free, 200), COMFORTABLE);
  }

  #pictureWidth() {
    const pixels = this.#fitting() * this.#zoom * devicePixelRatio;
    return Math.min(Math.ceil(pixels / WIDTH_STEP) * WIDTH_STEP, WIDEST);
  }

  #toAnswer() {
    const { clientWidth: width, clientHeight: height } = this.#scroll;
    const middle = (this.#scroll.scrollWidth - width) / 2;
    const box = this.#sheet.querySelector(".box.current, .passage .line");
    if (!box) {
      this.#scroll.scrollTo({ top: 0, left: middle });
      return;
    }
    const left = box.offsetLeft + this.#sheet.offsetLeft;
    const isSeen = left >= middle && left + box.offsetWidth <= middle + width;
    this.#scroll.scrollTo({
      top: box.offsetTop + this.#sheet.offsetTop - height / 3,
      left: isSeen ? middle : left + box.offsetWidth / 2 - width / 2,
    });
  }
}

/** Put an element over a box of a page; the page's width and height are in points, too. */
function placed(drawn, box, width, height) {
  drawn.style.left = `${(100 * (box.left - OFF_SIDE)) / width}%`;
  drawn.style.top = `${(100 * (box.top - OFF)) / height}%`;
  drawn.style.width = `${(100 * (box.right - box.left + 2 * OFF_SIDE)) / width}%`;
  drawn.style.height = `${(100 * (box.bottom - box.top + 2 * OFF)) / height}%`;
  return drawn;
}
