"""What a page's own styles say of an element, as far as it changes the text that a reader sees.

Selectors of tags, classes, ids and attributes are known, alone or below others (``td.old``,
``.price > .old``); rules with other selectors are left out. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_PROPERTIES = frozenset(
    (
        "display visibility text-decoration text-decoration-line vertical-align list-style "
        "list-style-type mso-hide opacity font-size font-variant-position color background "
        "background-color position left right top bottom text-indent clip clip-path height "
        "max-height width max-width overflow transition transform float white-space flex-direction "
        "flex-flow"
    ).split()
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SIMPLE = re.compile(
    r"(?P<tag>\*|[a-z][a-z0-9-]*)|\.(?P<class>[\w-]+)|#(?P<id>[\w-]+)"
    r"""|\[\s*(?P<name>[\w-]+)\s*(?:(?P<how>[~|^$*]?=)\s*["']?(?P<value>[^"'\]]*)["']?\s*)?\]""",
    re.IGNORECASE,
)
_COMBINATOR = re.compile(r"\s*(>)\s*|\s+")
_BRACE = re.compile("[{}]")
# At-rules whose rules hold on a screen as wide as most are.
_HELD = re.compile(r"@(?:supports|layer|container)\b", re.IGNORECASE)
_MEDIA = re.compile(r"@media\b(.*)", re.IGNORECASE | re.DOTALL)
_MEDIUM = re.compile(
    r"\s*(?:only\s+)?(?:all|screen)?(?:\s*(?:and)?\s*\(\s*min-width\s*:\s*(\d+)px\s*\))?\s*"
)
_WIDTH = 1280
_MOST_CHARS = 500_000
_MOST_RULES = 20_000
_MOST_RULES_A_KEY = 200  # that have the same tag, class or id for their element
_MOST_PARTS = 8
_DEEPEST = 10
_MOST_STEPS = 200

Look = Mapping[str, str]
_PLAIN: Look = {}


class Named(NamedTuple):
    """What selectors see of an element.

    Attributes:
        tag: its name.
        classes: its classes.
        attributes: all that it has.
    """

    tag: str
    classes: frozenset[str]
    attributes: Mapping[str, str]


def named(tag: str, attributes: Mapping[str, str]) -> Named:
    """Return what selectors see of an element."""
    return Named(tag, frozenset(attributes.get("class", "").split()), attributes)


@dataclass(frozen=True, slots=True)
class _Compound:
    """What one element must have: ``td.old``.

    Attributes:
        tag: its name; empty for any.
        classes: all of them.
        id: empty for any.
        tests: attributes: name, how they compare, and value.
    """

    tag: str
    classes: frozenset[str]
    id: str
    tests: tuple[tuple[str, str, str], ...]

    def fits(self, element: Named) -> bool:
        if self.tag and self.tag != element.tag:
            return False
        if not self.classes <= element.classes:
            return False
        if self.id and element.attributes.get("id", "").strip() != self.id:
            return False
        return all(_holds(element.attributes.get(name), *how) for name, *how in self.tests)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A selector with what it declares.

    Attributes:
        parts: the compounds, the last one for the element itself.
        is_child: for each compound but the first, whether it must be a child of the one before.
        weight: how it ranks among rules: importance is apart, later ones win.
        declared: properties with their values.
        important: the same, of those that are.
    """

    parts: tuple[_Compound, ...]
    is_child: tuple[bool, ...]
    weight: tuple[int, int, int, int]
    declared: Look
    important: Look


class Styles:
    """The styles of a page: its sheets and what stands at an element."""

    def __init__(self) -> None:
        self._rules: dict[str, list[_Rule]] = {}  # by what the element itself must have
        self._count = 0

    def add_sheet(self, sheet: str) -> None:
        """Take in the rules of a style sheet."""
        sheet = _COMMENT.sub(" ", sheet[:_MOST_CHARS]).replace("<!--", " ").replace("-->", " ")
        for selectors, body in _blocks(sheet, 0):
            declared, important = _declarations(body)
            if not declared and not important:
                continue
            for selector in selectors.split(","):
                self._count += 1
                parsed = _parsed(selector.strip())
                if parsed is None or self._count > _MOST_RULES:
                    continue
                parts, is_child = parsed
                last = parts[-1]
                key = f"#{last.id}" if last.id else min(last.classes, default="")
                key = key if last.id else f".{key}" if key else last.tag
                rule = _Rule(parts, is_child, _weight(parts, self._count), declared, important)
                self._add(self._rules.setdefault(key, []), rule)

    @staticmethod
    def _add(rules: list[_Rule], rule: _Rule) -> None:
        """Add a rule in place of one that it outdoes: a sheet may be there many times."""
        for at, other in enumerate(rules):
            if other.parts == rule.parts and other.is_child == rule.is_child:
                same = other.declared.keys() == rule.declared.keys()
                if same and other.important.keys() == rule.important.keys():
                    rules[at] = rule
                    return
        if len(rules) < _MOST_RULES_A_KEY:
            rules.append(rule)

    def of(self, element: Named, above: Sequence[Named]) -> Look:
        """Return the declarations that hold for an element.

        Args:
            element: the element.
            above: the open elements that it is in, the outermost first.
        """
        inline = element.attributes.get("style")
        own, own_important = _declarations(inline) if inline else (_PLAIN, _PLAIN)
        rules = [rule for rule in self._for(element) if _matches(rule, element, above)]
        if not rules:
            return {**own, **own_important} if inline else _PLAIN
        rules.sort(key=lambda rule: rule.weight)
        look: dict[str, str] = {}
        for rule in rules:
            look.update(rule.declared)
        look.update(own)
        for rule in rules:
            look.update(rule.important)
        look.update(own_important)
        return look

    def _for(self, element: Named) -> Iterator[_Rule]:
        if not self._rules:
            return
        keys = [element.tag, "", *(f".{name}" for name in element.classes)]
        if name := element.attributes.get("id", "").strip():
            keys.append(f"#{name}")
        for key in keys:
            yield from self._rules.get(key, ())


def _matches(rule: _Rule, element: Named, above: Sequence[Named]) -> bool:
    if not rule.parts[-1].fits(element):
        return False
    at = len(above)
    steps = 0
    for part, is_child in zip(reversed(rule.parts[:-1]), reversed(rule.is_child), strict=True):
        at -= 1
        while at >= 0 and not part.fits(above[at]):
            steps += 1
            if is_child or steps > _MOST_STEPS:
                return False
            at -= 1
        if at < 0:
            return False
    return True


def _parsed(selector: str) -> tuple[tuple[_Compound, ...], tuple[bool, ...]] | None:
    """Return a selector's compounds and which of them are children; None where it isn't known."""
    parts: list[_Compound] = []
    is_child: list[bool] = []
    at = 0
    while at < len(selector):
        tag, name, classes, tests = "", "", set(), []
        start = at
        while found := _SIMPLE.match(selector, at):
            if found["tag"]:
                if at != start:
                    return None
                tag = "" if found["tag"] == "*" else found["tag"].lower()
            elif found["class"]:
                classes.add(found["class"])
            elif found["id"]:
                name = found["id"]
            else:
                tests.append((found["name"].lower(), found["how"] or "", found["value"] or ""))
            at = found.end()
        if at == start or len(parts) >= _MOST_PARTS:
            return None
        parts.append(_Compound(tag, frozenset(classes), name, tuple(tests)))
        if at < len(selector):
            between = _COMBINATOR.match(selector, at)
            if between is None:
                return None
            is_child.append(between[1] is not None)
            at = between.end()
    return (tuple(parts), tuple(is_child)) if len(parts) == len(is_child) + 1 else None


def _weight(parts: Sequence[_Compound], number: int) -> tuple[int, int, int, int]:
    return (
        sum(bool(part.id) for part in parts),
        sum(len(part.classes) + len(part.tests) for part in parts),
        sum(bool(part.tag) for part in parts),
        number,
    )


def _holds(found: str | None, how: str, value: str) -> bool:
    if found is None:
        return False
    match how:
        case "":
            return True
        case "=":
            return found == value
        case "~=":
            return value in found.split()
        case "|=":
            return found == value or found.startswith(f"{value}-")
        case "^=":
            return bool(value) and found.startswith(value)
        case "$=":
            return bool(value) and found.endswith(value)
        case _:
            return bool(value) and value in found


def _declarations(body: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a block declares, and what of it is important."""
    declared: dict[str, str] = {}
    important: dict[str, str] = {}
    for declaration in body.split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        if colon and name in _PROPERTIES:
            value, mark, _ = value.lower().partition("!")
            (important if mark else declared)[name] = value.strip()
    return declared, important


def _blocks(sheet: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield selectors with what they declare, those of other media left out."""
    start = 0
    while (opens := sheet.find("{", start)) != -1:
        selectors = sheet[start:opens].rpartition(";")[2].strip()
        closes = _end_of_block(sheet, opens)
        if closes == -1:
            closes = len(sheet)
        if not selectors.startswith("@"):
            # What is nested in it holds for other elements.
            yield selectors, sheet[opens + 1 : closes].partition("{")[0]
        elif depth < _DEEPEST and _is_held(selectors):
            yield from _blocks(sheet[opens + 1 : closes], depth + 1)
        start = closes + 1


def _is_held(rule: str) -> bool:
    if _HELD.match(rule):
        return True
    media = _MEDIA.match(rule)
    if media is None:
        return False
    found = (_MEDIUM.fullmatch(medium) for medium in media[1].lower().split(","))
    return any(medium and int(medium[1] or 0) <= _WIDTH for medium in found)


def _end_of_block(sheet: str, opens: int) -> int:
    depth = 0
    for brace in _BRACE.finditer(sheet, opens):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return -1
