// Why the answers are what they are: each token of the best passages with the probability that an
// answer starts or ends at it, as docqa explain shows them.

import * as codePoints from "./code_points.js";
import { element } from "./dom.js";
import { count, documentName, flowing, pageOrLine, percent, reflowed } from "./words.js";

// Shades below this are not drawn.
const FAINT = 0.1;

/** Show an explanation, as the API gives it. */
export function showExplanation(body, explanation) {
  const shades = shadesOf(explanation);
  body.replaceChildren(
    element(
      "div",
      { class: "why", tabindex: "0", role: "group", "aria-label": "Explanation" },
      element("p", { class: "why-lead" }, lead(explanation)),
      legend(shades),
      ...explanation.windows.map((window) => windowOf(window, explanation, shades)),
    ),
  );
}

function lead({ answers, windows_read: read, null_score: none }) {
  const start = `The reader went through ${count(read, "passage")} and gave each token two numbers: how well an answer could start there, and end there.`;
  if (answers.length) return `${start} The best pairs became the answers.`;
  return `${start} No pair was better than “no answer”${none === null ? "" : ` (${none.toFixed(2)})`}.`;
}

function legend(shades) {
  const sample = (name, kind) => {
    const token = element("span", { class: "token" }, name);
    token.style.setProperty(`--${kind}`, "1");
    return token;
  };
  return element(
    "ul",
    { class: "legend" },
    element("li", {}, sample("start", "start"), ` full bar: ${percent(shades.start)}`),
    element("li", {}, sample("end", "end"), ` full bar: ${percent(shades.end)}`),
    element("li", {}, element("mark", { class: "current" }, "best"), " span of its passage"),
    element("li", {}, element("mark", { class: "other" }, "others")),
  );
}

function windowOf(window, explanation, shades) {
  const facts = [
    window.search_rank && `found as number ${window.search_rank}`,
    `best span ${window.spans[0] ? window.spans[0].ranking.toFixed(2) : "none"}`,
    window.null_score !== null && `“no answer” ${window.null_score.toFixed(2)}`,
  ];
  return element(
    "section",
    { class: "why-window" },
    element(
      "h3",
      {},
      element("span", { class: "why-rank" }, String(window.rank)),
      [documentName(window), pageOrLine(window)].filter(Boolean).join(", "),
      element("span", { class: "why-facts" }, facts.filter(Boolean).join(" · ")),
    ),
    element("div", { class: "why-text", dir: "auto" }, ...tokensOf(window, shades)),
    spansOf(window),
  );
}

/** Yield the window's text: its tokens, those of a span inside a mark. */
function* tokensOf(window, shades) {
  const tokens = window.tokens.filter((token) => token.start < token.end);
  const spans = window.spans.map((span, n) => ({ start: span.start, end: span.end, number: n + 1 }));
  for (const { text, range, start } of withOffsets(reflowed(window.text), window.start, spans)) {
    const inside = [...withOffsets(text, start, tokens)].map((run) => tokenOf(run, shades));
    if (range === null) yield* inside;
    else yield element("mark", { class: range.number === 1 ? "current" : "other" }, element("sup", {}, String(range.number)), ...inside);
  }
}

function* withOffsets(text, start, ranges) {
  let offset = start;
  for (const run of codePoints.cut(text, start, ranges)) {
    yield { ...run, start: offset };
    offset += codePoints.length(run.text);
  }
}

function tokenOf({ text, range: token }, shades) {
  if (token === null) return text;
  const logit = (value) => (value === null ? "none" : value.toFixed(2));
  const made = element(
    "span",
    {
      class: "token",
      title: `start ${percent(token.start_probability)} (${logit(token.start_logit)}), end ${percent(token.end_probability)} (${logit(token.end_logit)})`,
    },
    text,
  );
  // With the square root, a tenth of the greatest probability can still be seen.
  const start = Math.sqrt(token.start_probability / shades.start) || 0;
  const end = Math.sqrt(token.end_probability / shades.end) || 0;
  if (start > FAINT) made.style.setProperty("--start", start.toFixed(2));
  if (end > FAINT) made.style.setProperty("--end", end.toFixed(2));
  return made;
}

function spansOf(window) {
  const head = ["", "Span", "Start", "End", "Score", "Share"];
  return element(
    "div",
    { class: "table-scroll" },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name || element("span", { class: "unseen" }, "Rank"))))),
      element(
        "tbody",
        {},
        ...window.spans.map((span, n) =>
          element(
            "tr",
            {},
            element("td", {}, String(n + 1)),
            element("td", { class: "span-words", dir: "auto" }, flowing(span.text), span.answer && element("span", { class: "tag" }, `answer ${span.answer}`)),
            ...[span.start_logit, span.end_logit, span.score].map((value) => element("td", {}, value.toFixed(2))),
            element("td", {}, percent(span.confidence)),
          ),
        ),
      ),
    ),
  );
}

function shadesOf({ windows }) {
  const tokens = windows.flatMap((window) => window.tokens);
  return {
    start: Math.max(...tokens.map((token) => token.start_probability), 0),
    end: Math.max(...tokens.map((token) => token.end_probability), 0),
  };
}
