"""Numbers of lists and headings, counted as OpenDocument says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lxml import etree

from docqa.ingest.formats.numerals import BY_SIGN, repeated_letters
from docqa.ingest.formats.packed import attribute, elements, integer, name_of

_LEVEL_STYLES = frozenset(("list-level-style-number", "outline-level-style"))
_FORMATS: dict[str, Callable[[int], str]] = {**BY_SIGN, "01": lambda at: f"{at:02}"}
OUTLINE = ""  # the list style of headings that are in no list
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    prefix: str
    suffix: str
    start: int
    shown: int  # how many levels its number has
    is_repeated: bool  # aa, bb instead of aa, ab

    def number(self, count: int) -> str:
        if self.is_repeated and self.format in ("a", "A"):
            text = repeated_letters(count)
            return text.upper() if self.format == "A" else text
        return _FORMATS[self.format](count) if self.format in _FORMATS else ""


class Counts:
    """Where the levels of one list stand."""

    def __init__(self, at: Iterable[tuple[int, int]] = ()) -> None:
        self.at = dict(at)

    def copy(self) -> Counts:
        """Return the same counts, to go on from."""
        return Counts(self.at.items())


class Lists:
    """The list styles of a document, and where its lists stand.

    Args:
        roots: of ``styles.xml`` and ``content.xml``, in this order.
    """

    def __init__(self, roots: Iterable[etree._Element]) -> None:
        self._styles: dict[str, dict[int, _Level]] = {}
        self._last: dict[str, Counts] = {}  # by list style
        self._named: dict[str, Counts] = {}  # by the list's own id
        for root in roots:
            for kind in ("outline-style", "list-style"):
                for element in elements(root, kind):
                    name = attribute(element, "name") or ""
                    self._styles[OUTLINE if kind == "outline-style" else name] = _levels(element)

    def begin(self, element: etree._Element, style: str) -> Counts:
        """Return the counts of a list that begins."""
        goes_on = attribute(element, "continue-list") or ""
        if goes_on in self._named:
            counts = self._named[goes_on].copy()
        elif attribute(element, "continue-numbering") == "true" and style in self._last:
            counts = self._last[style].copy()
        else:
            counts = Counts()
        self._last[style] = counts
        if name := attribute(element, "id"):
            self._named[name] = counts
        return counts

    def heading(self, level: int) -> str:
        """Return the number of the next heading that is in no list."""
        return self.marker(OUTLINE, level, self._last.setdefault(OUTLINE, Counts()), None)

    def marker(self, style: str, level: int, counts: Counts, start: str | None) -> str:
        """Return the number of the next item as it is shown; empty for a bullet.

        Args:
            style: name of the list's style.
            level: of the item, from 1.
            counts: of its list.
            start: what the item says that its number is.
        """
        levels = self._styles.get(style, {})
        own = levels.get(level)
        first = own.start if own else 1
        before = counts.at.get(level)
        counts.at[level] = first if before is None else before + 1
        counts.at[level] = integer(start, counts.at[level])
        for below in [at for at in counts.at if at > level]:
            del counts.at[below]
        if own is None or not own.format:
            return ""
        numbers = []
        for at in range(max(1, level - own.shown + 1), level + 1):
            of = levels.get(at)
            if of is not None and of.format:
                numbers.append(of.number(counts.at.get(at, of.start)))
        return f"{own.prefix}{'.'.join(numbers)}{own.suffix}".strip()


def _levels(element: etree._Element) -> dict[int, _Level]:
    levels = {}
    for found in element:
        if name_of(found) in _LEVEL_STYLES:
            level = integer(attribute(found, "level"), 0)
            if 1 <= level <= _DEEPEST:
                levels[level] = _Level(
                    attribute(found, "num-format") or "",
                    attribute(found, "num-prefix") or "",
                    attribute(found, "num-suffix") or "",
                    integer(attribute(found, "start-value"), 1),
                    integer(attribute(found, "display-levels"), 1),
                    attribute(found, "num-letter-sync") == "true",
                )
    return levels
