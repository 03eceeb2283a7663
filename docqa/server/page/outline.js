// The outline of a document: its headings as links into it.

import { element } from "./dom.js";

/**
 * Return the outline.
 *
 * @param headings - `{text, level, start, page}` in the order of the text
 * @param offset - what is looked at; the heading that it stands under is marked
 * @param onChoose - called with the heading that was chosen
 */
export function outlineList(headings, offset, onChoose) {
  const current = headings.findLastIndex((heading) => heading.start <= offset);
  const highest = Math.min(...headings.map((heading) => heading.level));
  const list = element("ul", { tabindex: "0", "aria-label": "Headings" });
  for (const [n, heading] of headings.entries()) {
    const button = element(
      "button",
      { type: "button", "aria-current": n === current ? "true" : null, click: () => choose(button, heading), dir: "auto" },
      element("span", { class: "outline-text" }, heading.text),
      heading.page && element("span", { class: "outline-page" }, element("span", { class: "unseen" }, "page "), String(heading.page)),
    );
    const item = element("li", {}, button);
    item.style.setProperty("--level", String(Math.min(heading.level - highest, 5)));
    list.append(item);
  }
  const choose = (button, heading) => {
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    onChoose(heading);
  };
  return element("nav", { class: "outline", "aria-label": "Outline" }, list);
}

/** Bring the marked heading into the middle of an outline that was drawn. */
export function showCurrent(outline) {
  const list = outline.firstChild;
  const marked = list.querySelector("[aria-current]");
  if (marked) list.scrollTop = marked.offsetTop - list.clientHeight / 2;
}
