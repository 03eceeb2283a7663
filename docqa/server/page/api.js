// The server's HTTP API. Nothing else of the page makes requests, and none of them leaves the origin.

import { askForToken, authorization, currentToken, hasToken } from "./token.js";
import { partSearched } from "./words.js";

// How many page pictures and answers are held at most.
const PICTURES = 24;
const ASKED = 30;

/** An error of the server, or of the way there, in a sentence for people. */
export class ApiError extends Error {
  constructor(message, status = 0, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Return what the server is and may do. */
export const status = () => json("api/status");

/** Ask a question; the same question is asked once, if all documents were searched. */
export const ask = remembered(
  ASKED,
  (question, within, topK, signal) =>
    post("api/ask", { question, within, top_k: topK }, signal).then(({ results, seconds }) => ({ ...results[0], seconds })),
  (result) => partSearched(result) === null,
);

/** Explain the answers to a question. */
export const explain = remembered(ASKED, (question, within, topK, signal) =>
  post("api/explain", { question, within, top_k: topK }, signal),
);

/** Return a page of the list of documents: `{documents, total}`. */
export const documents = (offset, limit, words = "", signal = undefined) =>
  json(`api/documents?${new URLSearchParams({ offset, limit, q: words })}`, { signal });

/** Return a stretch of a document: `{text, start, end, length}`. */
export const text = (id, start, end, signal) =>
  json(`api/documents/${id}/text?start=${Math.max(0, start)}&end=${end}`, { signal });

/** Return `{outline, pages}` of a document. */
export const outline = remembered(60, (id, signal) => json(`api/documents/${id}/outline`, { signal }));

/** Return `{width, height}` of a page in points. */
export const pageSize = remembered(200, (id, page, signal) => json(`api/documents/${id}/page/${page}`, { signal }));

/** Return the boxes of the lines of a stretch of a document, on all its pages. */
export const boxes = remembered(60, (id, start, end, signal) =>
  json(`api/documents/${id}/boxes?start=${start}&end=${end}`, { signal }).then((found) => found.boxes),
);

/** Remove a document. */
export const remove = (id) => json(`api/documents/${id}`, { method: "DELETE" });

/** Send files to be indexed; return the task's id. */
export async function upload(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return (await json("api/documents", { method: "POST", body: form })).task;
}

/** Yield the events of a task as they come (EventSource could not send the token). */
export async function* taskEvents(task) {
  const answer = await request(`api/tasks/${encodeURIComponent(task)}/events`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (waiting + value).replaceAll("\r\n", "\n").split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      if (data.trim()) yield JSON.parse(data);
    }
  }
}

const pictures = new Map(); // address -> promise of what an <img> can show

/** Return what an `<img>` can show of a page: an address, or the picture itself where a token is needed. */
export function picture(id, page, width) {
  const address = `api/documents/${id}/page/${page}.png?width=${width}`;
  if (!pictures.has(address)) {
    const shown = request(address).then((answer) => answer.blob()).then((blob) => URL.createObjectURL(blob));
    pictures.set(address, shown);
    shown.catch(() => pictures.delete(address));
    for (const oldest of pictures.keys()) {
      if (pictures.size <= PICTURES) break;
      pictures.get(oldest).then((url) => URL.revokeObjectURL(url), () => {});
      pictures.delete(oldest);
    }
  }
  return pictures.get(address);
}

/** Save a document's file; it is never opened here, whatever it holds. */
export async function save(id, name) {
  const link = document.createElement("a");
  link.download = name;
  link.href = `api/documents/${id}/source`;
  if (hasToken()) link.href = URL.createObjectURL(await (await request(link.href)).blob());
  link.click();
  if (link.href.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function post(address, body, signal) {
  return json(address, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });
}

async function json(address, options = {}) {
  return (await request(address, options)).json();
}

async function request(address, options = {}) {
  const token = currentToken();
  let answer;
  try {
    answer = await fetch(address, { ...options, headers: { ...options.headers, ...authorization() } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server cannot be reached. Is docqa serve still running?");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && (await askForToken(token))) return request(address, options);
  throw await asError(answer);
}

async function asError(answer) {
  const body = await answer.json().catch(() => null);
  const said = typeof body?.error === "string" ? body.error : `The server answered ${answer.status}.`;
  const message = said.charAt(0).toUpperCase() + said.slice(1);
  return new ApiError(message, answer.status, Number(answer.headers.get("Retry-After")) || null);
}

/** Make a function whose last results are held; its last parameter, a signal, does not count. */
function remembered(most, call, isWorth = () => true) {
  const held = new Map();
  const remembering = (...given) => {
    const signal = given.at(-1) instanceof AbortSignal ? given.pop() : undefined;
    const key = JSON.stringify(given);
    if (held.has(key)) return held.get(key);
    const result = call(...given, signal);
    held.set(key, result);
    result.then((value) => isWorth(value) || held.delete(key), () => held.delete(key));
    if (held.size > most) held.delete(held.keys().next().value);
    return result;
  };
  remembering.forget = () => held.clear();
  return remembering;
}

/** Forget what was answered before the documents changed. */
export function forgetAnswers() {
  for (const held of [ask, explain, outline, pageSize, boxes]) held.forget();
}
