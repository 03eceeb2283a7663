"""Patterns for file names, as in a shell, with ``**`` for any number of folders."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A bracket that closes nothing stands for itself, and so does one around a slash. A closing bracket
# that comes first is one of the characters.
_PIECE = re.compile(
    r"(?<![^/])\*\*/|/\*\*$|\*\*|\*|\?|\[(?P<not>!?+)(?P<any>\]?+[^\]/]*)\]|.", re.DOTALL
)
_RANGE = re.compile("(.)-(.)|.", re.DOTALL)
# "**/**" means no more than "**".
_AGAIN = re.compile(r"(?<![^/])(?:\*\*/)+(?=\*\*(?:/|$))")


class Globs:
    """Several patterns; something matches when one of them does.

    A pattern without a slash is about names at any depth, one with a slash about the path relative
    to the named folder. ``*`` and ``?`` stay within a folder's name; ``**`` crosses folders.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [
            re.compile(_translate(pattern.removeprefix("./").rstrip("/"))) for pattern in patterns
        ]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, name: str, relative: str) -> bool:
        """Return whether a pattern matches a name, or its path relative to the named folder."""
        return any(
            pattern.fullmatch(name) or pattern.fullmatch(relative) for pattern in self._patterns
        )


def _translate(pattern: str) -> str:
    pieces = _PIECE.finditer(_AGAIN.sub("", pattern))
    return "(?s:" + "".join(map(_piece, pieces)) + ")"


def _piece(piece: re.Match[str]) -> str:
    match piece[0]:
        case "**/":
            return "(?:.*/)?"
        case "/**":
            return "(?:/.*)?"  # a folder and all below it, so that the folder itself is pruned
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case _ if piece["any"] is not None:
            return _character(piece["any"], negated=bool(piece["not"]))
        case character:
            return re.escape(character)


def _character(choice: str, negated: bool) -> str:
    """Return an expression for a character of those that stand in brackets, or for any other."""
    ranges = [(piece[1] or piece[0], piece[2] or piece[0]) for piece in _RANGE.finditer(choice)]
    some = "".join(
        f"{re.escape(first)}-{re.escape(last)}" for first, last in ranges if first <= last
    )
    if not some:  # a range such as z-a
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' * negated}{some}]"
