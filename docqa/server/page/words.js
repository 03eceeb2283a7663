// Numbers, places and formats as people read them.

// A line that goes on after at least 50 characters: no sentence ends, or the next starts with a small letter.
const LINE_END = /(?<=[^\n]{50})(?:(?<![.:;!?»”")\]])\n(?=[\p{L}\d(“"](?![.)]))|\n(?=\p{Ll}))/gu;

const whole = new Intl.NumberFormat("en");

// As docqa.ingest.formats labels them.
const FORMATS = {
  pdf: "PDF", html: "HTML", markdown: "Markdown", rst: "reStructuredText", text: "Text", docx: "Word",
  doc: "Word 97", opendocument: "OpenDocument", pptx: "PowerPoint", xlsx: "Excel", csv: "CSV",
  epub: "EPUB", rtf: "RTF", latex: "LaTeX", json: "JSON", jsonl: "JSON Lines", eml: "E-mail",
  mbox: "E-mail folder", msg: "Outlook", notebook: "Jupyter notebook", subtitles: "Subtitles",
};

/** Return a count with its noun: "1 document", "12,000 documents". */
export function count(number, noun) {
  return `${whole.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Return a share as percent, with two digits that count. */
export function percent(share) {
  if (share >= 0.1) return `${Math.round(share * 100)}%`;
  if (share >= 0.01) return `${(share * 100).toFixed(1)}%`;
  return share >= 0.0001 ? `${(share * 100).toFixed(2)}%` : "<0.01%";
}

/** Return a file's size. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const kilobytes = bytes / 1000;
  return kilobytes < 1000 ? `${Math.ceil(kilobytes)} kB` : `${(kilobytes / 1000).toFixed(1)} MB`;
}

/** Return a format's name for people. */
export function formatName(format) {
  return FORMATS[format] ?? format ?? "unread";
}

/** Return the last part of a path. */
export function fileName(path) {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** Return what a document is called: its title, else its file's name. */
export function documentName(place) {
  return place.title || fileName(place.document ?? place.path ?? "") || "text";
}

/** Return where in its document something stands: "p. 12", "line 3", or nothing. */
export function pageOrLine(place) {
  if (place.page) return `p. ${place.page}`;
  return place.line ? `line ${place.line}` : "";
}

/** Return how sure an answer is, from 0 to 1: as measured, else what the reader makes of it. */
export function sureness(answer) {
  return answer.probability ?? answer.confidence;
}

/** Return the same in words. */
export function surely(answer) {
  const share = sureness(answer);
  const words = share < 0.01 ? "under 1% sure" : `${Math.round(share * 100)}% sure`;
  return answer.doubtful ? `doubtful: ${words}` : words;
}

/**
 * Return a text with the lines of its paragraphs joined, each line end as one space.
 *
 * A line goes on in the next one where it is long, and the next one starts in the middle of a
 * sentence. The text keeps its length, so offsets hold.
 */
export function reflowed(text) {
  return text.replace(LINE_END, " ");
}

/** Return a text with its white space as single spaces. */
export function flowing(text) {
  return text.replace(/\s+/g, " ");
}

/** Return how much of the collection was searched, as "15 of 16"; null where it was all of it. */
export function partSearched({ searched }) {
  const [answered, all] = searched.split("/");
  return answered === all ? null : `${answered} of ${all}`;
}
