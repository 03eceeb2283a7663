"""Running heads, feet and page numbers: what stands at the same place on many pages."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

from docqa.ingest.formats.pdf.line import Line

# Lines of a page's top and bottom that can be running.
_DEEP = 3
_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)
_PAGE_WORD = re.compile(r"#|page|seite|pagina|página|strana|side|sida|of|von|de|di|/|[^\w#]")
# The document's text has a soft hyphen where a line's end cuts a word.
_HYPHEN = re.compile("[-\u2010\u00ad]$")

Slot = tuple[bool, int, str]


def without_running(pages: list[list[Line]], heights: list[float]) -> list[list[Line]]:
    """Leave running heads, feet and page numbers out.

    A line is running if the same words, with any numbers in them, stand at the same height of at
    least three pages (of two where there are no more than three). Other words at a height where
    most pages have running ones (the name of a chapter) are running too. A head stays on the first
    page and a foot on the last, where they are in nobody's way: they may be all that says who wrote
    a letter.

    Args:
        pages: the lines of each page, in reading order.
        heights: of the pages, in points.
    """
    read = [number for number, lines in enumerate(pages) if lines]
    if len(read) < 2:
        return pages
    least = 2 if len(read) <= 3 else 3
    slots = [_slots(lines, height) for lines, height in zip(pages, heights, strict=True)]
    counts = Counter(slot for page in slots for slot in set(page.values()))
    spread = Counter({key: counts[key] + _beside(counts, key) for key in counts})
    places: Counter[tuple[bool, int]] = Counter()
    running: list[set[int]] = []
    for page in slots:
        found = {at for at, slot in page.items() if spread[slot] >= least}
        running.append(found)
        places.update({(page[at][0], page[at][1]) for at in found})
    out = []
    for number, (lines, page) in enumerate(zip(pages, slots, strict=True)):
        found = running[number]
        for at, (is_head, place, _) in page.items():
            common = sum(places[is_head, near] for near in (place - 1, place, place + 1))
            if common >= max(3, 0.5 * len(read)):
                found.add(at)
        found = _from_the_edge(found, page)
        kept = {
            at
            for at in found
            if not _is_number(page[at][2]) and number == (read[0] if page[at][0] else read[-1])
        }
        out.append([line for at, line in enumerate(lines) if at not in found or at in kept])
    return out


def lines_left(lines: list[Line], height: float, texts: list[str]) -> list[Line] | None:
    """Return those lines of a page that :func:`without_running` left in it.

    Args:
        lines: all that the page has, in reading order.
        height: of the page, in points.
        texts: of the lines that were left.

    Returns:
        None where these texts can't be what was left.
    """
    slots = _slots(lines, height)
    missing = len(lines) - len(texts)
    if missing < 0:
        return None

    def distance(dropped: tuple[int, ...]) -> int:
        return sum(slots[at][1] for at in dropped)

    # Where a running line's words stand a second time, the outer one is the running one.
    for dropped in sorted(combinations(slots, missing), key=distance):
        left = [line for at, line in enumerate(lines) if at not in dropped]
        if all(_same(line.text, text) for line, text in zip(left, texts, strict=True)):
            return left
    return None


def _same(line: str, text: str) -> bool:
    """Tell whether a line is the same, but for what its hyphen at the end was made."""
    return line == text or (
        len(line) == len(text) and _HYPHEN.sub("-", line) == _HYPHEN.sub("-", text)
    )


def _slots(lines: list[Line], height: float) -> dict[int, Slot]:
    """Return for the outer lines of a page: top or bottom, height, and words without numbers."""
    upright = [at for at, line in enumerate(lines) if line.upright]
    by_height = sorted(upright, key=lambda at: lines[at].base)
    slots: dict[int, Slot] = {}
    for is_head, outer in ((True, by_height[:_DEEP]), (False, by_height[-_DEEP:])):
        for at in outer:
            line = lines[at]
            from_edge = line.base if is_head else height - line.base
            if from_edge < 0.2 * height and len(line.text) <= 160 and at not in slots:
                slots[at] = (is_head, round(from_edge / 3), _NUMBER.sub("#", line.text))
    return slots


def _beside(counts: Counter[Slot], key: Slot) -> int:
    is_head, place, words = key
    return counts[is_head, place - 1, words] + counts[is_head, place + 1, words]


def _from_the_edge(found: set[int], page: dict[int, Slot]) -> set[int]:
    """Keep to lines with no other line between them and the page's edge."""
    out = set()
    for is_head in (True, False):
        outer = sorted((slot[1], at) for at, slot in page.items() if slot[0] == is_head)
        for _, at in outer:
            if at not in found:
                break
            out.add(at)
    return out


def _is_number(words: str) -> bool:
    return not _PAGE_WORD.sub("", words.casefold())
