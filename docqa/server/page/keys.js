// What the keyboard does, and the dialog that says it.

import { element, iconButton } from "./dom.js";

/**
 * Bind keys.
 *
 * @param {{keys: string[], does: string, run: (event: KeyboardEvent) => void, shown?: string[]}[]} bindings
 */
export function setUpKeys(bindings) {
  addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return; // a dialog has keys of its own
    const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (isTyping && event.key !== "Escape" && !(event.key === "ArrowDown" && event.target.id === "question")) return;
    const isWidget = event.target.matches(".text-scroll, .sheet-scroll, .why, .outline ul, .rows");
    if (isWidget && event.key.startsWith("Arrow") && /Up|Down/.test(event.key)) return; // these scroll
    const binding = bindings.find(({ keys }) => keys.includes(event.key));
    if (!binding) return;
    event.preventDefault();
    binding.run(event);
  });
}

/** Show the keys. */
export function showKeys(bindings) {
  if (document.querySelector("dialog[open]")) return;
  const dialog = element(
    "dialog",
    { class: "dialog small", "aria-labelledby": "keys-title" },
    element("header", { class: "dialog-head" }, element("h2", { id: "keys-title" }, "Keyboard"), iconButton("close", "Close", () => dialog.close())),
    element(
      "dl",
      { class: "keys" },
      ...bindings.map(({ keys, shown, does }) =>
        element("div", {}, element("dt", {}, ...(shown ?? keys).map((key) => element("kbd", {}, key))), element("dd", {}, does)),
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
