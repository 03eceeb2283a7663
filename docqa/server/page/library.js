// The documents of the index: the list of all, and what filters make of it.

import * as api from "./api.js";

const AT_ONCE = 100;
// More are found by the search of the list, and by questions; they are only missing in its folders.
const MOST = 2000;

let loading = null;

/** Return the list of documents, loaded once; of very large indexes the first ones. */
export function library() {
  loading ??= load();
  loading.catch(() => (loading = null));
  return loading;
}

/** Load the list anew when it is next needed. */
export function forgetLibrary() {
  loading = null;
}

/** Return the folders of documents with how many each holds, at any depth. */
export function folders(documents) {
  const counts = new Map();
  for (const { path } of documents) {
    for (let at = path.indexOf("/", 1); at >= 0; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
  }
  return [...counts].map(([folder, number]) => ({ folder, number })).sort((a, b) => a.folder.localeCompare(b.folder));
}

/** Return the formats of documents with how many each has, the most frequent first. */
export function formats(documents) {
  const counts = new Map();
  for (const { format } of documents) if (format) counts.set(format, (counts.get(format) ?? 0) + 1);
  return [...counts].map(([format, number]) => ({ format, number })).sort((a, b) => b.number - a.number);
}

/** Return whether a state's filters let a document through. */
export function passes(document, { folder, formats: wanted, documents: only }) {
  if (only.length) return only.includes(document.path);
  if (folder && !document.path.startsWith(`${folder}/`)) return false;
  return wanted.length === 0 || wanted.includes(document.format);
}

/** Return a state's filters as the API's `within`: paths, a folder, or patterns for file names. */
export async function within(now) {
  if (now.documents.length) return now.documents.map(literal);
  if (now.formats.length === 0) return now.folder ? [literal(now.folder)] : [];
  const { documents } = await library();
  const front = now.folder ? `${literal(now.folder)}/` : "";
  const entries = new Set();
  for (const document of documents.filter((each) => passes(each, now))) {
    const suffix = /\.[^./]+$/.exec(document.name)?.[0];
    entries.add(suffix ? `${front}**/*${literal(suffix)}` : literal(document.path));
  }
  return [...entries];
}

/** Return a path as a pattern that matches nothing else. */
function literal(path) {
  return path.replace(/[*?[]/g, "[$&]");
}

async function load() {
  const documents = [];
  let total;
  do {
    const part = await api.documents(documents.length, AT_ONCE);
    ({ total } = part);
    if (part.documents.length === 0) break;
    documents.push(...part.documents);
  } while (documents.length < Math.min(total, MOST));
  return { documents, total };
}
