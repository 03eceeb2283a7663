// Documents that are dropped on the page, or chosen, and how far their indexing is.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, element, iconButton } from "./dom.js";
import { count } from "./words.js";

/** Let documents be added; `onAdded` is called when some are in the index. */
export function setUpUpload(onAdded) {
  const button = byId("add");
  const input = byId("add-files");
  const drop = byId("drop");
  button.hidden = false;
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    void add([...input.files], onAdded);
    input.value = "";
  });
  let depth = 0; // enter and leave come for each element that the files are dragged over
  addEventListener("dragenter", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    depth += 1;
    drop.hidden = false;
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) drop.hidden = true;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    drop.hidden = true;
    void add(filesOf(event.dataTransfer), onAdded);
  });
}

/** Return the files that were dropped; folders cannot be sent. */
function filesOf({ items, files }) {
  const isFolder = [...items].map((item) => item.webkitGetAsEntry()?.isDirectory === true);
  if (isFolder.includes(true)) announce("Folders cannot be dropped: drop the files in them.");
  return [...files].filter((_, n) => !isFolder[n]);
}

async function add(files, onAdded) {
  if (files.length === 0) return;
  const what = files.length === 1 ? files[0].name : count(files.length, "document");
  const progress = element("progress", { "aria-label": `Adding ${what}` });
  const line = element("p", { class: "task-line" }, "Sending…");
  const failures = element("ul", { class: "task-failures" });
  const card = element(
    "div",
    { class: "task" },
    element("div", { class: "task-head" }, element("strong", {}, what), iconButton("close", "Hide", () => card.remove())),
    progress, line, failures,
  );
  byId("tasks").append(card);
  announce(`Adding ${what}`);
  let failed = [];
  let stage = "";
  try {
    for await (const event of api.taskEvents(await api.upload(files))) {
      ({ stage } = event);
      line.textContent = event.total ? `${event.stage} ${event.done} of ${event.total}` : event.stage;
      if (event.total) {
        progress.max = event.total;
        progress.value = event.done;
      }
      if (Array.isArray(event.failures)) failed = event.failures;
      failures.replaceChildren(...failed.map((failure) => element("li", {}, `${failure.document}: ${failure.error}`)));
    }
  } catch (error) {
    progress.remove();
    card.classList.add("wrong");
    line.textContent = error.message;
    announce(error.message);
    return;
  }
  progress.remove();
  const isDone = stage === "done" && failed.length === 0;
  line.textContent = isDone ? "Added. It can be asked now." : outcome(stage, files.length, failed.length);
  card.classList.add(isDone ? "done" : "wrong");
  announce(`${what}: ${line.textContent}`);
  api.forgetAnswers();
  onAdded();
}

function outcome(stage, sent, failed) {
  if (stage !== "done") return "The server stopped before it was added. Try again.";
  return `${sent - failed} of ${count(sent, "document")} added`;
}
