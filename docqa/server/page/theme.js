// The switch between light and dark. Without a choice, the system's theme holds.

import { icon } from "./dom.js";

const system = matchMedia("(prefers-color-scheme: dark)");

/** Bring the switch to life. */
export function setUpTheme(button) {
  const draw = () => {
    const other = shown() === "dark" ? "light" : "dark";
    button.replaceChildren(icon(other));
    button.setAttribute("aria-label", `Switch to ${other} colours`);
  };
  button.addEventListener("click", () => {
    choose(shown() === "dark" ? "light" : "dark");
    draw();
  });
  system.addEventListener("change", draw);
  draw();
}

function shown() {
  return document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("docqa-theme", theme);
  } catch {
    // Storage is closed to this page: the choice holds until it is left.
  }
}
