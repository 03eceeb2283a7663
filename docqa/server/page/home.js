// What stands below the field before anything is asked: questions that these documents may answer.

import * as api from "./api.js";
import { follow } from "./answers.js";
import { element, icon } from "./dom.js";
import { library } from "./library.js";
import { NOTHING_OPEN, hrefAfter } from "./state.js";
import { count } from "./words.js";

const EXAMPLES = 4;
// Outlines that are looked through for examples.
const LOOKED_AT = 8;
// Headings that every document has and that say nothing of its subject, and those that name no thing.
const COMMON = /^(a|an|as|at|by|for|from|how|if|in|of|on|the|this|to|what|when|where|which|who|why|with|your|abstract|about|appendix|authors?|changes|conclusions?|contents|copyright|examples?|foreword|further|getting|index|introduction|licen[cs]e|notes?|overview|preface|purpose|quick|references|scope|see also|summary|table of contents)\b/i;

/** Fill the section. */
export async function showHome(section, status) {
  if (status.documents === 0) {
    section.replaceChildren(
      element(
        "div",
        { class: "notice" },
        element("h2", {}, "No documents yet"),
        element("p", {}, status.allow_changes ? "Drop files on this page to add them." : "Add some with docqa index, then ask."),
      ),
    );
    return;
  }
  const facts = element("p", { class: "facts" }, `${count(status.documents, "document")}, ${count(status.windows, "passage")}. Nothing leaves this server.`);
  section.replaceChildren(facts);
  const examples = await fromOutlines();
  if (examples.length === 0) return;
  section.prepend(
    element(
      "ul",
      { class: "examples" },
      ...examples.map((question) => {
        const changes = { ...NOTHING_OPEN, question };
        return element("li", {}, element("a", { href: hrefAfter(changes), click: follow(changes) }, element("span", { dir: "auto" }, question), icon("right")));
      }),
    ),
  );
}

/** Make questions of headings: those that are questions, then those that name a thing. */
async function fromOutlines() {
  const { documents } = await library();
  const looked = documents.filter((each) => each.state !== "failed").slice(0, LOOKED_AT);
  const outlines = await Promise.all(looked.map((each) => api.outline(each.id).catch(() => ({ outline: [] }))));
  const questions = outlines.flatMap(({ outline }) => outline.map(({ text }) => text.trim()).filter(isQuestion).slice(0, 1));
  const things = outlines.flatMap(({ outline }, n) => outline.map(({ text }) => asQuestion(text, looked[n].title)).filter(Boolean).slice(0, 1));
  return [...new Set([...questions, ...things])].slice(0, EXAMPLES);
}

/** Return whether a heading is a question that can be understood alone. */
function isQuestion(heading) {
  return /^\p{Lu}.{12,80}\?$/u.test(heading) && !/\b(it|its|this|that|these|those|you|we|they|here|there)\b/i.test(heading);
}

/** Return a question for a heading that names a thing in a few words, else null. */
function asQuestion(heading, title) {
  const name = heading.replace(/^[\d.]+\s+/, "").trim();
  const words = name.split(/\s+/).length;
  const isThing = words > 1 && words < 6 && /^\p{Lu}[\p{L}\s'-]+$/u.test(name) && !COMMON.test(name);
  return isThing && name !== title ? `What is said about “${name}”?` : null;
}
