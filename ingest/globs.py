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
_STAR, _ANY, _FOLDERS, _BELOW = "[^/]*", ".*", "(?:.*/)?", "(?:/.*)?"
# How "**" takes as little as it can.
_FIRST = {_ANY: ".*?", _FOLDERS: "(?:.*?/)??"}
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
    """Return a pattern as a regular expression that a hostile pattern can't keep busy.

    Each ``**`` begins a group. Whatever comes after a group but the last one can begin anywhere, so
    the first place where the group matches will do, and no other is tried (an atomic group).
    """
    groups: list[list[str]] = [[]]
    for found in _PIECE.finditer(_AGAIN.sub("", pattern)):
        piece = _piece(found)
        if piece in _FIRST:
            groups.append([])
        groups[-1].append(piece)
    firsts = (f"(?>{_FIRST.get(head, head)}{_stars(rest, True)})" for head, *rest in groups[1:-1])
    last = _stars(groups[-1], False)
    if len(groups) == 1:
        return f"(?s:{last})"
    return f"(?s:{_stars(groups[0], True)}{''.join(firsts)}{last})"


def _stars(pieces: list[str], goes_on: bool) -> str:
    """Return a group's expression, where ``*`` takes the first place that will do, if any will.

    Args:
        goes_on: whether another group follows, which can begin anywhere.
    """
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece == _STAR:
            runs.append([])
        runs[-1].append(piece)
    whole = ["".join(run) for run in runs]
    atomic = slice(1, len(whole) if goes_on else -1)
    whole[atomic] = [f"(?>{_STAR}?{run.removeprefix(_STAR)})" for run in whole[atomic]]
    return "".join(whole)


def _piece(piece: re.Match[str]) -> str:
    match piece[0]:
        case "**/":
            return _FOLDERS
        case "/**":
            return _BELOW  # a folder and all below it, so that the folder itself is pruned
        case "**":
            return _ANY
        case "*":
            return _STAR
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
