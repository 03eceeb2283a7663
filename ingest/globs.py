"""Patterns for file names, as in a shell, with ``**`` for any number of folders."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PIECE = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


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
        """Whether a pattern matches a name, or its path relative to the named folder."""
        return any(
            pattern.fullmatch(name) or pattern.fullmatch(relative) for pattern in self._patterns
        )


def _translate(pattern: str) -> str:
    return "(?s:" + "".join(map(_piece, _PIECE.findall(pattern))) + ")"


def _piece(piece: str) -> str:
    match piece:
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
        case _ if len(piece) > 1:
            negated = piece.startswith("[!")
            inside = re.sub(r"([\\\[^])", r"\\\1", piece[2 if negated else 1 : -1])
            some = f"[^/{inside}]" if negated else f"[{inside}]"
            return some if _compiles(some) else re.escape(piece)  # a range such as [z-a]
        case _:
            return re.escape(piece)


def _compiles(expression: str) -> bool:
    try:
        re.compile(expression)
    except re.error:
        return False
    return True
