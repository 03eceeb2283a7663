"""Menus, trails and languages of a site that no element names: lines of links and little else.

Between the links of a menu stand signs (``|``, ``»``) and labels (``Next:``); in a sentence that
has links stand words. Links to other versions and to neighbours of a page say so themselves, and
are left out wherever they are. Other lines are left out only where a site has its menus: before the
first words of a page, or after the last ones. What stands there under a heading or a label, and
links into the page, belong to the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import pairwise

from docqa.ingest.formats.layout import NO_LINK, Line, Piece

_NEIGHBOURS = frozenset(
    "alternate contents first glossary help home index last next prev previous search start toc "
    "top up".split()
)
_OF_SENTENCES = frozenset(",.;")
_BRACKETS = frozenset("()\"'“”\u2019")
_ENDS = frozenset(".!?:;。\uff1a")
_RIGHTS = re.compile(r"^\W{0,4}(?:copyright\b|©|\(c\) ?\d{4})", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LONGEST_LINK = 100
_LONGEST_LABEL = 30
_LONGEST_PAGE_NAME = 60
# The name of a site, what it is about, and when it was last changed may stand among its menus.
_LONGEST_ASIDE = 80
_MOST_ASIDES = 2
_LONGEST_RIGHTS = 400
_SHORTEST_COLUMN = 3  # links, a line each, that make a menu
_MOST_FEET = 2  # lines; more are a table of links
_LAST_LINES = 12


class Link(IntEnum):
    """Where a link leads."""

    NONE = NO_LINK
    WITHIN = 1  # the page
    AWAY = 2
    NEIGHBOUR = 3  # of the page, or its version in another language


def kind_of_link(attributes: Mapping[str, str]) -> Link:
    """Return where an ``a`` element leads."""
    target = attributes.get("href")
    if target is None:
        return Link.NONE
    is_related = not _NEIGHBOURS.isdisjoint(attributes.get("rel", "").lower().split())
    if is_related or "hreflang" in attributes:
        return Link.NEIGHBOUR
    return Link.WITHIN if target.startswith("#") else Link.AWAY


def menu_lines(
    lines: Iterable[Line], links: Sequence[Link], headings: Collection[int]
) -> list[Line]:
    """Return the lines of a page that are menus of its site, in their order.

    Args:
        lines: of the page.
        links: where its links lead, by their numbers in the lines.
        headings: where its headings begin.
    """
    found: dict[int, Line] = {}  # by where they start
    last: deque[Line] = deque(maxlen=_LAST_LINES)
    column: list[Line] = []
    asides: int | None = 0  # None after the head of the page
    for line in lines:
        last.append(line)
        if _is_of_neighbours(line, links):
            found[line.start] = line
        elif asides == 0 and _is_link_alone(line, links):  # below words it may be their list
            column.append(line)
            continue
        elif asides is not None and _is_menu(line, links):
            found[line.start] = line
        elif asides is not None:
            asides += 1
            if asides > _MOST_ASIDES or not _is_aside(line, headings):
                asides = None
        if len(column) >= _SHORTEST_COLUMN:
            found.update((link.start, link) for link in column)
        column = []
    found.update((line.start, line) for line in _foot(last, links, headings))
    return [found[start] for start in sorted(found)]


def _foot(last: Iterable[Line], links: Sequence[Link], headings: Collection[int]) -> list[Line]:
    """Return the menus and notices of copyright after the last words of a page."""
    found = []
    asides = 0
    for line, above in pairwise(reversed(list(last))):
        if _is_menu(line, links) or _is_rights(line):
            if above.start in headings or _is_label(_text(above)):
                break
            found.append(line)
            if len(found) > _MOST_FEET:
                return []
        elif asides < _MOST_ASIDES and _is_aside(line, headings) and _YEAR.search(_text(line)):
            asides += 1
        elif not _is_of_neighbours(line, links):
            break
    return found


def _is_of_neighbours(line: Line, links: Sequence[Link]) -> bool:
    kinds = [links[piece.link] for piece in line.pieces if piece.link]
    # The page itself may be one of its languages.
    if len(kinds) < 2 or kinds.count(Link.NEIGHBOUR) < max(1, len(kinds) - 1):
        return False
    return all(piece.link or _is_sign(piece) or _is_label(piece.text) for piece in line.pieces)


def _is_menu(line: Line, links: Sequence[Link]) -> bool:
    linked = [piece for piece in line.pieces if piece.link]
    if not linked or any(links[piece.link] == Link.WITHIN for piece in linked):
        return False
    if any(len(piece.text) > _LONGEST_LINK for piece in linked):
        return False
    between = [piece for piece in line.pieces if not piece.link and not _is_label(piece.text)]
    if any(_is_sign(piece) and not _OF_SENTENCES.isdisjoint(piece.text) for piece in between):
        return False
    words = [piece for piece in between if not _is_sign(piece)]
    if not words:
        return len(linked) > 1
    # The page itself may be in its menu or at the end of its trail.
    return len(words) == 1 and _is_page_name(words[0], line.pieces)


def _is_page_name(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Return whether words without a link are set apart by signs, as the links around them are."""
    text = piece.text
    is_apart = [_is_set_apart(text[0]), _is_set_apart(text[-1])]
    if piece is pieces[0]:
        is_apart[0] = True
    if piece is pieces[-1]:
        is_apart[1] = True
    return len(text) <= _LONGEST_PAGE_NAME and all(is_apart)


def _is_set_apart(sign: str) -> bool:
    return not sign.isalnum() and sign not in _OF_SENTENCES and sign not in _BRACKETS


def _is_link_alone(line: Line, links: Sequence[Link]) -> bool:
    linked = [piece for piece in line.pieces if piece.link]
    return (
        len(linked) == 1
        and links[linked[0].link] != Link.WITHIN
        and len(linked[0].text) <= _LONGEST_LINK
        and all(piece.link or _is_sign(piece) for piece in line.pieces)
    )


def _is_aside(line: Line, headings: Collection[int]) -> bool:
    is_short = line.end - line.start <= _LONGEST_ASIDE
    return is_short and line.start not in headings and _text(line)[-1:] not in _ENDS


def _is_rights(line: Line) -> bool:
    return line.end - line.start <= _LONGEST_RIGHTS and bool(_RIGHTS.match(_text(line)))


def _is_sign(piece: Piece) -> bool:
    return not any(map(str.isalnum, piece.text))


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and text[-1:] in (":", "\uff1a")


def _text(line: Line) -> str:
    return " ".join(piece.text for piece in line.pieces)
