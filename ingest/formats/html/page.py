"""A page as lxml's parser reports it, laid out as a reader sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from docqa.ingest.formats.html.furniture import Suspect, is_furniture, suspicion
from docqa.ingest.formats.html.lists import List
from docqa.ingest.formats.html.mathml import Formula
from docqa.ingest.formats.html.menus import Link, kind_of_link, menu_lines
from docqa.ingest.formats.html.seen import (
    WHITE,
    Ink,
    is_hidden,
    is_raised_length,
    is_struck,
    script_of,
)
from docqa.ingest.formats.html.styles import Look, Named, Styles, named
from docqa.ingest.formats.layout import NO_LINK, Checkpoint, Layout

_PARAGRAPHS = frozenset(
    (
        "article aside blockquote dl fieldset figure h1 h2 h3 h4 h5 h6 hr ol p pre section table "
        "ul "
    ).split()
)
_LINES = frozenset(
    (
        "address body br caption center dd details dialog dir div dt figcaption footer form header "
        "hgroup legend li main menu nav search summary tbody tfoot thead "
    ).split()
)
# del, s and strike are struck out; rt and rp say how the word beside them is spoken.
_UNSEEN = frozenset(
    (
        "audio canvas datalist del frameset iframe noframes rp rt rtc s script strike style "
        "template title video "
    ).split()
)
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_VERBATIM = frozenset("pre listing xmp".split())
_APART = frozenset("button select svg textarea".split())
_BLOCKS = frozenset("block flex grid table table-row list-item flow-root".split())
_SET_APART = frozenset("inline-block inline-flex inline-grid inline-table".split())
# What lays the elements in it out beside or below one another.
_PARTING = frozenset("flex inline-flex grid inline-grid".split())
_PRESERVED = ("pre", "break-spaces")

_SVG_TEXT = frozenset(("text", "foreignobject"))

# Says in which line of a file an element begins, in pages that are made of other markup.
LINE = "data-docqa-line"

# Values that a reader of the page can't see, or that are no text.
_UNSEEN_INPUTS = frozenset("hidden password file image color range".split())
_MARKS = {True: "[x]", False: "[ ]"}
_BOX_ROLES = frozenset("checkbox radio switch menuitemcheckbox menuitemradio".split())

# A formula that is there as MathML and is drawn beside it; and MathML that only browsers show.
_DRAWN_FORMULA = ("katex-html", "MathJax_Preview")
_HIDDEN_FORMULA = ("mwe-math-mathml", "katex-mathml", "MJX_Assistive_MathML")
_FORMULA_PICTURE = ("tex", "math", "latex", "mwe-math")

# What numbers of lines beside code are set as, and called; pages call whole listings so, too.
_MARGIN_TAGS, _MARGINS = ("td", "span"), ("lineno", "linenos", "line-number")
# What a link or another element in it has raised or lowered already.
_RAISED = re.compile(r"[⁰¹²³⁴-ⁿ₀-₎]+|[\^_]\S+")
# Invisible unless a line breaks there, and fatal to finding the word.
_SOFT_HYPHEN = "\xad"
# Of the element that holds the page's title where that is no h1.
_TITLE = "title"
_PERMALINKS = frozenset("¶#§🔗")
# The way back from a note to its mark.
_BACK_LINKS = frozenset("↩ ↩\ufe0e ↑ ⤴ ⏎ ^".split())
_SKIP = "skip to"
# Spans side by side in these are columns; in a paragraph they may be parts of a word.
_HOLD_COLUMNS = frozenset("body div section article header footer main form fieldset".split())
_COLUMNS = frozenset("span label a strong b em i".split())
_MOST_SUSPECTS = 50
# A page of which more seems to be menus is a list of links.
_MOST_MENUS = 0.5  # of its text
_MOST_TITLE_CHARS = 1000


class _Open:
    """An open element that is seen."""

    __slots__ = (
        "checkpoint", "ink", "is_verbatim", "label", "list", "look", "options", "parts", "script",
        "suspect", "tag", "words",
    )  # fmt: skip

    def __init__(self, tag: str, look: Look, ink: Ink) -> None:
        self.tag = tag
        self.look = look
        self.ink = ink
        self.script: str | None = None  # sup or sub
        self.is_verbatim = False
        self.label = ""  # of an option, shown instead of its text
        self.parts = ""  # what stands between the elements in it: a blank or a line's end
        self.checkpoint: Checkpoint | None = None  # its text is taken back at its end
        self.suspect: Suspect | None = None
        self.list: List | None = None
        self.options: list[tuple[str, bool]] | None = None
        self.words = ""  # what its attributes and links say of it, for its end


class Page:
    """What lxml's parser reports to. The names of ``start`` to ``close`` are lxml's.

    Args:
        item_counts: how many items each list has that counts down, from
            :func:`docqa.ingest.formats.html.lists.item_counts`.
        keep_furniture: whether navigation and the like stay.
        has_lines: whether elements carry the line of the file that they come from.

    Attributes:
        layout: the page's text.
        left_out: how many characters were left out as parts of the site.
    """

    def __init__(
        self, item_counts: Sequence[int] = (), keep_furniture: bool = False, has_lines: bool = False
    ) -> None:
        self.layout = Layout()
        self.left_out = 0
        self._item_counts = iter(item_counts)
        self._keep_furniture = keep_furniture
        self._has_lines = has_lines
        self._styles = Styles()
        self._open: list[_Open] = []
        self._above: list[Named] = []  # the same, as selectors see them
        self._ink = Ink(WHITE)
        self._unseen = 0  # how many open elements, counted from the first that is not seen
        self._kept: list[str] | None = None  # text that isn't seen, of a title or a style sheet
        self._title = ""
        self._formula: Formula | None = None
        self._has_formulas = False
        self._verbatim = 0
        self._svg = 0
        self._svg_text = 0
        self._svg_line: str | None = None  # the height of the last text in a drawing
        self._links = [Link.NONE]  # where each leads
        self._link_to_a_note = False
        self._linked = 0  # characters in links so far, without white space
        self._heads = 0  # titles of the page so far
        self._suspects = 0
        self._column = ""  # the end of the span that has just ended
        self._beside = ""  # the end of the span just before the one that has just begun

    @property
    def title(self) -> str | None:
        """What the page calls itself; else its first heading of the highest level."""
        if self._title:
            return self._title
        first = min(self.layout.outline, key=lambda heading: heading.level, default=None)
        return None if first is None else first.text

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        if self._formula is not None:
            self._formula.start(tag)
        elif self._unseen:
            self._unseen += 1
            if tag == "ol" and "reversed" in attrib:
                next(self._item_counts, None)
        else:
            element = named(tag, attrib)
            look = self._styles.of(element, self._above)
            if self._is_seen(tag, attrib, look):
                was_open = len(self._open)
                self._start(tag, attrib, look)
                if len(self._open) > was_open:
                    self._above.append(element)
            else:
                self._unseen = 1
                self._kept = [] if tag in ("title", "style") and not self._svg else None

    def end(self, tag: str) -> None:
        if self._formula is not None:
            if self._formula.end():
                self.layout.write(self._formula.text())
                self._formula = None
        elif self._unseen:
            self._unseen -= 1
            if not self._unseen and self._kept is not None:
                self._end_kept(tag, "".join(self._kept))
        elif self._open:
            self._above.pop()
            self._end(self._open.pop())

    def data(self, data: str) -> None:
        if self._formula is not None:
            self._formula.data(data)
        elif self._unseen:
            if self._kept is not None:
                self._kept.append(data)
        elif (not self._svg or self._svg_text) and self._is_inked():
            self._write(data.replace(_SOFT_HYPHEN, ""))

    def comment(self, text: str) -> None:
        pass

    def pi(self, target: str, data: str | None = None) -> None:
        pass

    def close(self) -> None:
        if self._keep_furniture or len(self._links) == 1:
            return
        headings = frozenset(heading.start for heading in self.layout.outline)
        lines = menu_lines(self.layout.written_lines(), self._links, headings)
        length = sum(line.end - line.start for line in lines)
        if length < self.layout.length * _MOST_MENUS:
            self.left_out += length
            self.layout.leave_out(lines)

    def _is_seen(self, tag: str, attributes: Mapping[str, str], look: Look) -> bool:
        if tag in _UNSEEN:
            return False
        if not attributes and not look:
            return tag != "dialog"
        if is_struck(attributes, look):
            return False
        names = attributes.get("class", "")
        if tag in _MARGIN_TAGS and names.strip() in _MARGINS:
            return False
        if any(name in names for name in _HIDDEN_FORMULA):
            return True
        if any(name in names for name in _DRAWN_FORMULA):
            return False
        if tag in ("nobr", "mjx-math") and attributes.get("aria-hidden") == "true":
            return False
        if tag == "dialog" and "open" not in attributes:
            return False
        return not is_hidden(attributes, look)

    def _is_inked(self) -> bool:
        return not self._open or self._open[-1].ink.is_seen

    def _end_kept(self, tag: str, text: str) -> None:
        self._kept = None
        if tag == "style":
            self._styles.add_sheet(text)
        elif not self._title:
            self._title = " ".join(text.split())[:_MOST_TITLE_CHARS]

    def _write(self, text: str) -> None:
        if self.layout.link:
            self._linked += sum(not char.isspace() for char in text)
        if self._verbatim:
            self.layout.write_verbatim(text)
        else:
            if self._beside and are_columns(self._beside, text):
                self.layout.apart()
            self.layout.write(text)
        self._column = self._beside = ""

    def _start(self, tag: str, attributes: Mapping[str, str], look: Look) -> None:
        if self._has_lines and LINE in attributes:
            self.layout.source_line = int(attributes[LINE])
        parent = self._open[-1] if self._open else None
        element = _Open(tag, look, (parent.ink if parent else self._ink).inside(attributes, look))
        element.script = script_of(tag, attributes, look)
        if tag == "math":
            if attributes.get("display") == "block":
                self.layout.line()
            self._formula = Formula()
            self._has_formulas = True
            return
        self._suspect(element, attributes, parent)
        self._boundary(tag, look)
        self._part(parent)
        if look.get("display") in _PARTING:
            flow = look.get("flex-direction", "") + look.get("flex-flow", "")
            element.parts = "\n" if "column" in flow else " "
        self._note_column(tag, parent)
        self._heads += tag == "h1" or _TITLE in attributes.get("class", "").split()
        if tag in ("td", "th") or look.get("display") == "table-cell":
            self.layout.cell()
        elif tag in _HEADINGS:
            self.layout.open_heading(_HEADINGS[tag])
        elif tag == "a":
            self._start_link(element, attributes)
        elif element.script is not None:
            element.checkpoint = self.layout.checkpoint()
            element.words = attributes.get("class", "")
        elif tag in ("ol", "ul", "menu", "dir"):
            if tag == "ol":
                count = next(self._item_counts, 1) if "reversed" in attributes else 1
                element.list = List(attributes, look, count)
        elif tag == "li":
            if parent is not None and parent.list is not None:
                marker = parent.list.marker(attributes, look)
                if marker and look.get("display", "list-item") == "list-item":
                    self.layout.write_marker(marker)
        elif tag == "select":
            element.options = []
            element.words = "many" if "multiple" in attributes else ""
        elif tag == "option":
            element.checkpoint = self.layout.checkpoint()
            element.words = "chosen" if "selected" in attributes else ""
            element.label = attributes.get("label", "")
        elif tag == "svg":
            self._svg += 1
            self._svg_line = None
        elif tag in _SVG_TEXT and self._svg:
            self._start_svg_text(attributes)
        elif tag == "input" and element.ink.is_seen:
            self._input(attributes)
        elif tag == "img":
            self._picture(attributes)
        elif tag == "link" and "stylesheet" in attributes.get("rel", "").lower():
            self._ink.forget_background()  # what is elsewhere may colour the page
        elif tag == "q":
            self.layout.write("“")
        elif attributes.get("role") in _BOX_ROLES and "aria-checked" in attributes:
            self.layout.write(_MARKS[attributes["aria-checked"] == "true"])
            self.layout.apart()
        if tag in _VERBATIM or look.get("white-space", "").startswith(_PRESERVED):
            element.is_verbatim = True
            self._verbatim += 1
        self._open.append(element)

    def _end(self, element: _Open) -> None:
        tag = element.tag
        self._verbatim -= element.is_verbatim
        if tag in ("td", "th") or element.look.get("display") == "table-cell":
            self.layout.end_cell()
        elif tag in _HEADINGS:
            self.layout.close_heading()
        elif tag == "a":
            self._end_link(element)
        elif element.script is not None and element.checkpoint is not None:
            self._end_script(element, element.checkpoint)
        elif tag == "li":
            self.layout.release()
        elif tag == "option":
            self._end_option(element)
        elif element.options is not None:
            self._end_select(element.options, bool(element.words))
        elif tag == "svg":
            self._svg -= 1
        elif tag in _SVG_TEXT and self._svg_text:
            self._svg_text -= 1
        elif tag == "q":
            self.layout.write("”")
        if _is_column(tag):
            self._column = self.layout.tail(2)
        if tag not in ("br", "input", "img"):
            self._boundary(tag, element.look)
            self._part(self._open[-1] if self._open else None)
        if element.suspect is not None:
            self._end_suspect(element.suspect)

    def _boundary(self, tag: str, look: Look) -> None:
        display = look.get("display", "")
        if tag == "tr" or display == "table-row":
            self.layout.row()
        elif display.startswith("inline") and tag in _LINES:
            self.layout.apart()
        elif tag in _PARAGRAPHS:
            self.layout.paragraph()
        elif tag in _LINES or display in _BLOCKS:
            self.layout.line()
        elif tag in _APART or display in _SET_APART or "float" in look:
            self.layout.apart()

    def _part(self, parent: _Open | None) -> None:
        """Separate an element from the one beside it where their parent lays them out."""
        if parent is not None and parent.parts == "\n":
            self.layout.line()
        elif parent is not None and parent.parts:
            self.layout.apart()

    def _note_column(self, tag: str, parent: _Open | None) -> None:
        """Note that a span begins right where another one ended, in a block."""
        in_block = parent is not None and (parent.tag in _HOLD_COLUMNS or "-" in parent.tag)
        self._beside = self._column if _is_column(tag) and in_block else ""
        self._column = ""

    def _start_link(self, element: _Open, attributes: Mapping[str, str]) -> None:
        kind = kind_of_link(attributes)
        if kind:
            self.layout.link = len(self._links)
            self._links.append(kind)
        target = attributes.get("href", "")
        if target.startswith("#") or element.script is not None:
            element.checkpoint = self.layout.checkpoint()
        roles = f"{attributes.get('role', '')} {attributes.get('epub:type', '')}"
        self._link_to_a_note = "#" in target or "noteref" in roles
        if self._link_to_a_note:
            for outer in self._open[-2:]:
                outer.words += " note"

    def _end_link(self, element: _Open) -> None:
        self.layout.link = NO_LINK
        self._link_to_a_note = False
        if element.checkpoint is None:
            return
        text = self.layout.since(element.checkpoint)
        if text in _PERMALINKS or text in _BACK_LINKS or text.lower().startswith(_SKIP):
            self.layout.take_back(element.checkpoint)
        elif element.script is not None:
            element.words = "note"
            self._end_script(element, element.checkpoint)

    def _end_script(self, element: _Open, checkpoint: Checkpoint) -> None:
        text = self.layout.since(checkpoint)
        is_raised = element.tag in ("sup", "sub", "a") or is_raised_length(text)
        if "\n" in text or "\t" in text or not is_raised or _RAISED.fullmatch(text.strip()):
            return
        self.layout.take_back(checkpoint)
        if element.script == "sub":
            self.layout.write_lowered(text)
        else:
            is_note = any(word in element.words for word in ("note", "reference", "fn"))
            self.layout.write_raised(text, is_note or self._link_to_a_note)

    def _end_option(self, element: _Open) -> None:
        if element.checkpoint is None:
            return
        text = element.label or self.layout.since(element.checkpoint)
        self.layout.take_back(element.checkpoint)
        for outer in self._open[-2:]:  # a select, or a group of options in one
            if outer.options is not None:
                outer.options.append((text, bool(element.words)))

    def _end_select(self, options: list[tuple[str, bool]], many: bool) -> None:
        chosen = [text for text, is_chosen in options if is_chosen]
        if not many:
            # As browsers do: the last of those chosen, else the first of all.
            chosen = chosen[-1:] or [text for text, _ in options[:1]]
        self.layout.write(", ".join(filter(None, chosen)))

    def _input(self, attributes: Mapping[str, str]) -> None:
        kind = attributes.get("type", "text").strip().lower()
        if kind in _UNSEEN_INPUTS:
            return
        self.layout.apart()
        if kind in ("checkbox", "radio"):
            self.layout.write(_MARKS["checked" in attributes])
        else:
            self.layout.write(attributes.get("value", ""))
        self.layout.apart()

    def _picture(self, attributes: Mapping[str, str]) -> None:
        names = attributes.get("class", "").lower().split()
        is_formula = any(name.startswith(_FORMULA_PICTURE) for name in names)
        if is_formula and not self._has_formulas:
            self.layout.write(attributes.get("alt", ""))

    def _start_svg_text(self, attributes: Mapping[str, str]) -> None:
        height = attributes.get("y", "")
        if self._svg_line is not None and height == self._svg_line:
            self.layout.apart()
        else:
            self.layout.line()
        self._svg_line = height
        self._svg_text += 1

    def _suspect(self, element: _Open, attributes: Mapping[str, str], parent: _Open | None) -> None:
        if self._keep_furniture or self._suspects >= _MOST_SUSPECTS:
            return
        kind = suspicion(element.tag, attributes, parent.tag if parent else "")
        if kind is not None:
            self._suspects += 1
            element.suspect = Suspect(
                kind, self.layout.checkpoint(), len(self._links), self._linked, self._heads
            )

    def _end_suspect(self, suspect: Suspect) -> None:
        self._suspects -= 1
        text = self.layout.since(suspect.checkpoint)
        if text and is_furniture(suspect, text, len(self._links), self._linked, self._heads):
            self.left_out += len(text)
            self.layout.take_back(suspect.checkpoint)
            self.layout.line()


def _is_column(tag: str) -> bool:
    """Return whether style sheets make columns of elements with this name."""
    return tag in _COLUMNS or "-" in tag


def are_columns(before: str, after: str) -> bool:
    """Return whether two spans without a blank between them are columns.

    Columns are made by style sheets that aren't here. Within a word, a small letter doesn't stand
    before a capital, nor a letter beside a digit.
    """
    last, first = before[-1], after[0]
    if len(before) < 2 or not (before.isalnum() and first.isalnum()):
        return False
    return last.isalpha() != first.isalpha() or (last.islower() and first.isupper())
