"""Automatic numbers of LaTeX: items of enumerations, and headings of the usual classes."""

from __future__ import annotations

import re

from docqa.ingest.formats.numerals import BY_SIGN, letters

_LIST = re.compile(
    r"\\(?:(?P<how>begin|end)\s*\{enumerate\*?\}\s*(?:\[(?P<option>[^\]]*)\])?"
    r"|(?P<other>begin|end)\s*\{(?:itemize|description|list|trivlist)\*?\}"
    r"|(?P<item>item)\b(?!\s*\[)\s*"
    r"|(?:def|renewcommand\*?\s*\{?)\s*\\labelenum(?P<labelled>i{1,3}|iv)\}?\s*"
    r"\{(?P<label>(?:[^{}]|\{[^{}]*\})*)\}"
    r"|(?:setcounter\s*\{enum(?P<level>i{1,3}|iv)\}\s*\{(?P<count>\d{1,6})\}))"
)
_START = re.compile(r"\bstart\s*=\s*(\d{1,6})")
_LABEL = re.compile(r"\blabel\s*=\s*(\{.*\}|[^,]*)")
_PLACE = re.compile(r"\\(arabic|alph|Alph|roman|Roman)\s*\*?(?:\{[^{}]*\})?")
# A label as the package enumerate has it: the first of these signs stands for the number.
_SIGN = re.compile(r"[1aAiI](?![a-zA-Z])")
_MARKUP = re.compile(r"\\[a-zA-Z]+\s*|[{}]")
_KIND_OF_SIGN = {"1": "arabic", "a": "alph", "A": "Alph", "i": "roman", "I": "Roman"}
_KINDS = {kind: BY_SIGN[sign] for sign, kind in _KIND_OF_SIGN.items()}
_LABELS = ("\\arabic*.", "(\\alph*)", "\\roman*.", "\\Alph*.")
_LEVELS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

_CLASS = re.compile(r"\\documentclass\s*(?:\[[^\]]*\])?\s*\{([\w-]+)\}")
_NUMBERED_DEPTH = re.compile(r"\\setcounter\s*\{secnumdepth\}\s*\{([^}]*)\}")
_ARTICLES = frozenset("article scrartcl amsart llncs elsarticle extarticle paper".split())
_BOOKS = frozenset("report book scrreprt scrbook memoir extreport extbook amsbook".split())
_DEPTHS = {"chapter": 0, "section": 1, "subsection": 2, "subsubsection": 3}


def with_item_numbers(source: str) -> str:
    r"""Return a source whose enumerated items say their numbers: ``\item[2.]``."""
    pieces = []
    end = 0
    open_lists: list[tuple[str, int] | None] = []  # label and count; None for other lists
    for found in _LIST.finditer(source):
        pieces.append(source[end : found.start()])
        end = found.end()
        kept = found[0]
        if found["other"]:
            if found["other"] == "begin":
                open_lists.append(None)
            elif open_lists:
                open_lists.pop()
        elif found["how"] == "begin":
            depth = sum(1 for outer in open_lists if outer is not None)
            option = found["option"] or ""
            start = _START.search(option)
            label = _label(option) or _LABELS[min(depth, len(_LABELS) - 1)]
            open_lists.append((label, int(start[1]) - 1 if start else 0))
            kept = "\\begin{enumerate}"
        elif found["how"]:
            if open_lists:
                open_lists.pop()
        elif found["item"]:
            inner = open_lists[-1] if open_lists else None
            if inner is not None:
                label, count = inner
                open_lists[-1] = (label, count + 1)
                kept = f"\\item[{{{_drawn(label, count + 1)}}}] "
        else:
            kept = ""
            numbered = [at for at, outer in enumerate(open_lists) if outer is not None]
            level = _LEVELS[found["level"] or found["labelled"]]
            if level <= len(numbered):
                label, count = open_lists[numbered[level - 1]] or ("", 0)
                label = found["label"] or label
                count = int(found["count"] or count)
                open_lists[numbered[level - 1]] = (label, count)
        pieces.append(kept)
    return "".join([*pieces, source[end:]])


def _label(option: str) -> str:
    if "=" not in option:
        found = _SIGN.search(option)
        return _SIGN.sub(lambda sign: f"\\{_KIND_OF_SIGN[sign[0]]}*", option, 1) if found else ""
    named = _LABEL.search(option)
    return named[1].strip().removeprefix("{").removesuffix("}") if named else ""


def _drawn(label: str, number: int) -> str:
    text = _PLACE.sub(lambda place: _KINDS[place[1]](number), label)
    return " ".join(_MARKUP.sub("", text).split())


class HeadingNumbers:
    """The numbers of a document's headings; none where its class isn't known to have them.

    Args:
        source: of the whole document.
    """

    def __init__(self, source: str) -> None:
        found = _CLASS.search(source)
        name = found[1] if found else ""
        self._first = 0 if name in _BOOKS else 1
        depth = _NUMBERED_DEPTH.search(source)
        said = depth[1].strip() if depth else ""
        default = 3 if name in _ARTICLES else 2
        self._last = int(said) if re.fullmatch(r"-?\d{1,3}", said) else -1 if said else default
        self._is_known = name in _ARTICLES or name in _BOOKS
        self._counts: dict[int, int] = {}
        self._is_appendix = False

    def begin_appendix(self) -> None:
        """Begin to count anew, with letters."""
        self._counts.clear()
        self._is_appendix = True

    def number(self, kind: str) -> str:
        """Return the number of the next heading of a kind; empty where it has none."""
        depth = _DEPTHS.get(kind)
        if not self._is_known or depth is None or not self._first <= depth <= self._last:
            return ""
        self._counts[depth] = self._counts.get(depth, 0) + 1
        for deeper in [at for at in self._counts if at > depth]:
            del self._counts[deeper]
        numbers = [str(self._counts.get(at, 0)) for at in range(self._first, depth + 1)]
        if self._is_appendix:
            numbers[0] = letters(int(numbers[0])).upper()
        return ".".join(numbers)
