// An answer with its citation, on the clipboard.

import { announce } from "./announce.js";
import { icon } from "./dom.js";
import { documentName, flowing, pageOrLine } from "./words.js";

const SHOWN_MS = 1600;

/** Return an answer with its place: “ninety days”, Lease agreement, p. 12. */
export function citation(answer) {
  const place = [documentName(answer), pageOrLine(answer)].filter(Boolean).join(", ");
  return `“${flowing(answer.text).trim()}”, ${place}`;
}

/** Copy an answer with its citation, and show on the button that it was done. */
export async function copyCitation(answer, button) {
  const text = citation(answer);
  if (!(await copy(text))) {
    announce("The browser lets nothing be copied.");
    return;
  }
  announce(`Copied: ${text}`);
  button.replaceChildren(icon("check"), "Copied");
  setTimeout(() => button.replaceChildren(icon("copy"), "Copy"), SHOWN_MS);
}

async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => copyBySelection(text));
  }
  return copyBySelection(text); // the clipboard is closed to pages that came over plain HTTP
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
