"""Styles: what a paragraph or a run takes over from its style, and that from the one it builds on.

``strike`` and ``vanish`` are switches: where a paragraph's style and a run's style both set one,
it is off (ECMA-376, 17.7.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeVar

from lxml import etree

from docqa.ingest.formats.docx.package import child, is_on, number, short, value

_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_BODY_LEVEL = 9
_MOST_BASES = 50


@dataclass(frozen=True, slots=True)
class RunLook:
    """What changes how a run is read; None where nothing is said.

    Attributes:
        struck: whether it is struck out.
        struck_twice: whether it is struck out by two lines.
        hidden: whether it is not printed.
        align: ``superscript``, ``subscript`` or ``baseline``.
        position: how far it is raised, in half points.
        font: of its letters.
        color: of its letters, six digits.
        shaded: whether something is drawn behind it.
        size: of its letters, in half points.
    """

    struck: bool | None = None
    struck_twice: bool | None = None
    hidden: bool | None = None
    align: str | None = None
    position: int | None = None
    font: str | None = None
    color: str | None = None
    shaded: bool | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ParagraphLook:
    """What changes how a paragraph is read; None where nothing is said.

    Attributes:
        level: of a heading, from 0; 9 is body text.
        list_id: of its numbering; ``0`` for none.
        list_level: in that numbering, from 0.
        style: the id of the style that says ``list_id``.
        shaded: whether something is drawn behind it.
    """

    level: int | None = None
    list_id: str | None = None
    list_level: int | None = None
    style: str | None = None
    shaded: bool | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """A style, with all that it builds on."""

    run: RunLook = RunLook()
    paragraph: ParagraphLook = ParagraphLook()
    is_title: bool = False


_NONE = Style()
Look = TypeVar("Look", RunLook, ParagraphLook)


class Styles:
    """The styles of a document.

    Args:
        root: of ``styles.xml``; None where there is none.
    """

    def __init__(self, root: etree._Element | None) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._styles: dict[str, Style] = {}
        self._default = ""  # the id of the paragraphs that name no style
        for element in root if root is not None else ():
            if short(element.tag) != "w:style":
                continue
            name = value(element, "w:styleId") or ""
            self._elements.setdefault(name, element)
            is_default = value(element, "w:default") in ("1", "true", "on")
            if is_default and value(element, "w:type") == "paragraph":
                self._default = name
        defaults = child(child(child(root, "w:docDefaults"), "w:rPrDefault"), "w:rPr")
        self._run_default = run_look(defaults)

    def style(self, name: str | None) -> Style:
        """Return a style by its id; None for that of paragraphs that name none."""
        name = self._default if name is None else name
        if name not in self._styles:
            self._styles[name] = self._resolve(name)
        return self._styles[name]

    def run(self, paragraph: Style, properties: etree._Element | None) -> RunLook:
        """Return how a run looks, from its paragraph's style, its own, and what it says itself."""
        own = run_look(properties)
        named = value(child(properties, "w:rStyle"))
        character = self.style(named).run if named is not None else RunLook()
        base = _over(paragraph.run, self._run_default)
        look = _over(own, _over(character, base))
        return replace(
            look,
            struck=_switched(own.struck, character.struck, base.struck),
            hidden=_switched(own.hidden, character.hidden, base.hidden),
        )

    def _resolve(self, name: str) -> Style:
        chain: list[str] = []
        at: str | None = name
        while at is not None and at in self._elements and len(chain) < _MOST_BASES:
            chain.append(at)
            at = value(child(self._elements[at], "w:basedOn"))
            if at in chain:
                break
        style = _NONE
        for at in reversed(chain):
            element = self._elements[at]
            properties = child(element, "w:pPr")
            paragraph = paragraph_look(properties)
            if paragraph.list_id is not None or paragraph.list_level is not None:
                paragraph = replace(paragraph, style=at)
            words = (value(child(element, "w:name")) or "").strip()
            heading = _HEADING_NAME.fullmatch(words)
            if paragraph.level is None and heading:
                paragraph = replace(paragraph, level=int(heading[1]) - 1)
            style = Style(
                _over(run_look(child(element, "w:rPr")), style.run),
                _over(paragraph, style.paragraph),
                style.is_title or words.lower() == "title",
            )
        return style


def paragraph_look(properties: etree._Element | None) -> ParagraphLook:
    """Return what a ``w:pPr`` says itself."""
    if properties is None:
        return ParagraphLook()
    numbering = child(properties, "w:numPr")
    return ParagraphLook(
        number(value(child(properties, "w:outlineLvl"))),
        value(child(numbering, "w:numId")),
        number(value(child(numbering, "w:ilvl"))),
        shaded=_is_shaded(properties),
    )


def run_look(properties: etree._Element | None) -> RunLook:
    """Return what a ``w:rPr`` says itself."""
    if properties is None or not len(properties):
        return RunLook()
    fonts = child(properties, "w:rFonts")
    return RunLook(
        is_on(child(properties, "w:strike")),
        is_on(child(properties, "w:dstrike")),
        is_on(child(properties, "w:vanish")),
        value(child(properties, "w:vertAlign")),
        number(value(child(properties, "w:position"))),
        value(fonts, "w:ascii") or value(fonts, "w:hAnsi"),
        (value(child(properties, "w:color")) or "").upper() or None,
        _is_shaded(properties),
        number(value(child(properties, "w:sz"))),
    )


def _is_shaded(properties: etree._Element) -> bool | None:
    """Return whether a ``w:rPr`` or ``w:pPr`` has something drawn behind the text."""
    if (
        child(properties, "w:highlight") is not None
        or child(properties, "w14:textFill") is not None
    ):
        return True
    shade = child(properties, "w:shd")
    return None if shade is None else value(shade, "w:fill") not in ("auto", "FFFFFF", None)


def merge_paragraphs(own: ParagraphLook, style: ParagraphLook) -> ParagraphLook:
    """Return what holds for a paragraph, from what it says itself and what its style says."""
    return _over(own, style)


def heading_level(look: ParagraphLook) -> int | None:
    """Return the level of a heading, from 1; None for body text."""
    if look.level is None or not 0 <= look.level < _BODY_LEVEL:
        return None
    return look.level + 1


def _over(upper: Look, lower: Look) -> Look:
    """What is said above, and below where nothing is said above."""
    said = {name: own for name in upper.__slots__ if (own := getattr(upper, name)) is not None}
    return replace(lower, **said)


def _switched(own: bool | None, character: bool | None, base: bool | None) -> bool:
    return own if own is not None else bool(character) != bool(base)
