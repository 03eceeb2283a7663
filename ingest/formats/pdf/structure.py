"""A PDF's title and outline: from what the file says of itself, else from the sizes of its type."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from docqa.ingest.formats import Heading
from docqa.ingest.formats.pdf.line import Line

_MOST_HEADINGS = 5000
_MOST_HEADING_CHARS = 160
_LARGER = 1.12
_LEVELS = 4
_NO_TITLE = re.compile(
    r"untitled|unbenannt|sans titre|no title|(?:microsoft \w+ - .*)|(?:\(?anonymous\)?)|title|"
    r".*\.(?:docx?|odt|tex|dvi|pdf|indd|qxd|ps|fm|rtf|pptx?|xlsx?|html?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the file's own outline.

    Attributes:
        text: its words.
        level: 1 for the highest.
        page: that it leads to, from 0.
    """

    text: str
    level: int
    page: int


def title_of(said: str, first_page: Sequence[Line]) -> str | None:
    """Return the title that the file says, else the largest text of its first page with text."""
    said = " ".join(said.split())
    if said and len(said) <= 300 and not _NO_TITLE.fullmatch(said) and re.search(r"[^\W\d_]", said):
        return said
    sizes = Counter[float]()
    for line in first_page:
        sizes[line.size] += len(line.text)
    worded = [line for line in first_page if re.search(r"[^\W\d_]{2}", line.text)]
    if not worded:
        return None
    largest = max(line.size for line in worded)
    if largest <= _LARGER * sizes.most_common(1)[0][0]:
        return None
    words = " ".join(line.text for line in worded if line.size > 0.97 * largest)
    return " ".join(words.split())[:300] or None


def outline_of_bookmarks(
    bookmarks: Sequence[Bookmark], text: str, page_starts: Sequence[int]
) -> tuple[Heading, ...]:
    """Place the file's own outline in the text: where a bookmark's words stand on its page."""
    headings = []
    at = 0
    for mark in bookmarks[:_MOST_HEADINGS]:
        if not 0 <= mark.page < len(page_starts):
            continue
        start = page_starts[mark.page]
        after = mark.page + 1
        end = page_starts[after] if after < len(page_starts) else len(text)
        words = re.findall(r"\w+", mark.text)
        if not words:
            continue
        place = _place(words, text, max(start, at if at < end else start), end)
        if place is None:
            place = _place(words, text, start, end)
        begin = start if place is None else place[0]
        at = begin if place is None else place[1]
        headings.append(Heading(" ".join(mark.text.split())[:300], mark.level, begin))
    return tuple(sorted(headings, key=lambda heading: heading.start))


def _place(words: list[str], text: str, start: int, end: int) -> tuple[int, int] | None:
    """Find words one after another, whatever stands between them; the start of a line first."""
    pattern = r"[\W_]*?".join(map(re.escape, words[:40]))
    for opening in (r"^[ \t]*(?:[\w.]{0,12}[ \t]+)?", r"\b"):
        found = re.compile(opening + f"({pattern})", re.IGNORECASE | re.MULTILINE).search(
            text, start, end
        )
        if found:
            line = text.rfind("\n", start, found.start(1)) + 1
            begin = max(start, line) if opening[0] == "^" else found.start(1)
            return begin, found.end(1)
    return None


def outline_of_sizes(
    pages: Sequence[Sequence[Line]], starts: Sequence[Sequence[int]]
) -> tuple[Heading, ...]:
    """Take lines whose type is larger than the body's for headings.

    Args:
        pages: the lines of each page.
        starts: where each of these lines starts in the text.
    """
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    if not sizes:
        return ()
    body = sizes.most_common(1)[0][0]
    found: list[tuple[str, float, int]] = []
    for page, places in zip(pages, starts, strict=True):
        before: Line | None = None
        for line, start in zip(page, places, strict=True):
            large = line.size > _LARGER * body and re.search(r"[^\W\d_]{2}", line.text) is not None
            if not large or len(line.text) > _MOST_HEADING_CHARS or "\t" in line.text:
                before = None
                continue
            follows = (
                before is not None
                and abs(before.size - line.size) < 0.3
                and 0 < line.base - before.base < 1.6 * line.size
            )
            if follows and len(found[-1][0]) + len(line.text) < _MOST_HEADING_CHARS:
                found[-1] = (f"{found[-1][0]} {line.text}", found[-1][1], found[-1][2])
            else:
                found.append((line.text, line.size, start))
            before = line
    large_chars = sum(len(text) for text, _, _ in found)
    if large_chars > 0.3 * sum(sizes.values()) or len(found) > _MOST_HEADINGS:
        return ()
    ranks: list[float] = []
    for size in sorted({size for _, size, _ in found}, reverse=True):
        if not ranks or size < 0.94 * ranks[-1]:
            ranks.append(size)
    return tuple(
        Heading(
            " ".join(text.split()),
            min(_LEVELS, 1 + sum(size < 0.94 * rank for rank in ranks)),
            start,
        )
        for text, size, start in found
    )
