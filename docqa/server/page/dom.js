// Elements made by hand. Text goes in as text nodes only: nothing of a document is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 *
 * Properties that are functions become listeners ("click"), all others attributes; false, null and
 * undefined leave an attribute out. Children are nodes or texts; null and false are left out.
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...present(children));
  return made;
}

/** Return the children that there are: lists flattened, null and false left out. */
export function present(children) {
  return children.flat().filter((child) => child !== null && child !== false && child !== undefined);
}

/** Make an icon of the sprite in index.html. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Make a button with an icon and a name that only screen readers and the tooltip say. */
export function iconButton(name, label, onClick, properties = {}) {
  return element(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, click: onClick, ...properties },
    icon(name),
  );
}

/** Return the element of index.html with an id. */
export function byId(id) {
  return document.getElementById(id);
}
