// Offsets of the API count code points, strings here count UTF-16 units.

const SURROGATE = /[\ud800-\udfff]/;

/** Return `text.slice(start, end)` with offsets in code points. */
export function slice(text, start, end = Infinity) {
  if (!SURROGATE.test(text)) return text.slice(start, end);
  return Array.from(text).slice(start, end).join("");
}

/** Return how many code points a text has. */
export function length(text) {
  return SURROGATE.test(text) ? Array.from(text).length : text.length;
}

/**
 * Cut a text at the borders of ranges.
 *
 * @param text what stands from `start` on in its document.
 * @param ranges `{start, end, ...}` in the document's code points; the first one that holds a
 *   stretch is that stretch's.
 * @returns the text in order, as `{text, range}`; `range` is null outside of all ranges.
 */
export function cut(text, start, ranges) {
  const points = SURROGATE.test(text) ? Array.from(text) : null;
  const end = start + (points ?? text).length;
  const within = ranges.filter((range) => range.start < end && range.end > start);
  const borders = new Set([start, end]);
  for (const range of within) {
    borders.add(Math.max(range.start, start)).add(Math.min(range.end, end));
  }
  const sorted = [...borders].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((low, n) => ({
    text: points
      ? points.slice(low - start, sorted[n + 1] - start).join("")
      : text.slice(low - start, sorted[n + 1] - start),
    range: within.find((range) => range.start <= low && sorted[n + 1] <= range.end) ?? null,
  }));
}
