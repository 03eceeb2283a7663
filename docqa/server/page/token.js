// The token that a server may ask for. It is kept until the tab is closed, and goes nowhere but into
// the header of requests to this server.

import { element, icon } from "./dom.js";

const KEY = "docqa-token";

let held = stored();
let asking = null;

/** Return the headers that let a request in; none where no token is known. */
export function authorization() {
  return held ? { Authorization: `Bearer ${held}` } : {};
}

/** Return whether a token is needed here, so that plain links and pictures are refused. */
export function hasToken() {
  return held !== "";
}

/**
 * Ask for the token; several requests that are refused at once ask once.
 *
 * @param {string} refused - the token that the server has refused; a newer one is not asked for again
 * @returns {Promise<boolean>} whether there is another one to try
 */
export function askForToken(refused) {
  if (held !== refused) return Promise.resolve(true);
  asking ??= prompt(refused !== "").finally(() => (asking = null));
  return asking;
}

/** Return the token that requests go out with. */
export function currentToken() {
  return held;
}

function prompt(wasWrong) {
  return new Promise((resolve) => {
    const input = element("input", {
      type: "password", id: "token", autocomplete: "current-password", required: true, autofocus: true,
      "aria-describedby": "token-note",
    });
    const form = element(
      "form",
      { method: "dialog", class: "dialog-body token-form" },
      element("h2", { id: "token-title" }, "This server asks for a token"),
      element(
        "p",
        { id: "token-note", class: wasWrong ? "wrong" : "note" },
        wasWrong
          ? "That token was refused. Ask whoever runs the server for the right one."
          : "Whoever runs the server has it. It is kept until this tab is closed.",
      ),
      element("label", { for: "token" }, "Token"),
      input,
      element("button", { class: "main-button" }, "Continue", icon("enter")),
    );
    const dialog = element("dialog", { class: "dialog small", "aria-labelledby": "token-title" }, form);
    dialog.addEventListener("close", () => {
      const token = dialog.returnValue === "cancel" ? "" : input.value.trim();
      dialog.remove();
      if (token) keep(token);
      resolve(token !== "");
    });
    dialog.addEventListener("cancel", () => (dialog.returnValue = "cancel"));
    form.addEventListener("submit", () => (dialog.returnValue = "ok"));
    document.body.append(dialog);
    dialog.showModal();
  });
}

function keep(token) {
  held = token;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Storage is closed to this page: the token holds until it is left.
  }
}

function stored() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
