"""RTF's groups and words, laid out as they are printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from docqa.ingest.formats.layout import Checkpoint, Layout
from docqa.ingest.formats.rtf.characters import (
    BREAKS,
    ESCAPED,
    SIGNS,
    SYMBOL_CHARSET,
    of_charset,
    of_page,
)
from docqa.ingest.formats.rtf.equations import Part, equation_text
from docqa.ingest.formats.symbols import sign

_TOKEN = re.compile(
    r"\\(?:'(?P<hex>[0-9a-fA-F]{2})|(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    r"|(?P<escaped>[^a-zA-Z]))|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\",
    re.DOTALL,
)
# Groups that hold no text of the page; those that begin with \* and aren't known hold none either.
_UNSEEN = frozenset(
    (
        "aftncn aftnsep aftnsepc annotation atnauthor atndate atnicn atnid atnref atntime author "
        "background bkmkend bkmkstart blipuid buptim category colorschememapping colortbl comment "
        "company creatim datafield datastore defchp defpap doccomm docvar ebcend ebcstart falt "
        "ffentrymcr ffexitmcr ffformat ffhelptext ffname ffstattext ffdeftext file filetbl "
        "ftncn ftnsep ftnsepc generator gridtbl hl hlinkbase hsv keycode keywords latentstyles "
        "listname listoverridetable listpicture liststylename listtable manager mmathPict nextfile "
        "nonesttables nonshppict objalias objclass objdata objname objsect objtime operator panose "
        "password passwordhash pgptbl picprop pict pn pnseclvl pntxta pntxtb printim private "
        "propname protusertbl revtbl revtim rsidtbl rxe shprslt sn sp staticval subject sv tc "
        "template themedata txe userprops windowcaption wgrffmtfilter xe xform xmlattrname "
        "xmlattrvalue xmlnstbl upr mctrlPr"
    ).split()
)
_SEEN = frozenset(
    (
        "shpinst shptxt ud moMath moMathPara listtext pntext fldinst formfield ffl nesttableprops "
        "footnote footer footerf footerl footerr header headerf headerl headerr"
    ).split()
)
_MARGINS = frozenset("header headerf headerl headerr footer footerf footerl footerr".split())
_PAGE_FIELDS = frozenset(("PAGE", "NUMPAGES", "SECTIONPAGES"))
_KEPT = frozenset(("title", "fldinst", "ffl", "marker"))  # groups whose text is looked at
_SWITCHES = {
    "strike": "struck",
    "striked": "struck_twice",
    "v": "hidden",
    "deleted": "deleted",
    "mvf": "moved",
}
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_SYMBOL_FIELD = re.compile(r'SYMBOL\s+(\d+).*?\\f\s+"?([^"\\]+)', re.IGNORECASE)
_LEAST_RISE = 4  # half points; less is a matter of looks
_LONGEST_RAISED = 4
_CHECKED, _UNCHECKED = "[x]", "[ ]"
_UNDEFINED = 25  # of a form's field that nobody has touched
_BODY_LEVEL = 9
_DEEPEST_EQUATION = 60


@dataclass(slots=True)
class _Field:
    """An open field: its instruction, and what a form says of it."""

    instruction: str = ""
    kind: int = 0
    result: int = _UNDEFINED
    default: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    """What holds for the text of a group; a copy is made for each group in it."""

    kind: str = ""  # of the group's destination; empty for text of the page
    font: int = -1
    fallback: int = 1  # how many characters stand after a \u for readers that don't know it
    struck: bool = False
    struck_twice: bool = False
    hidden: bool = False
    deleted: bool = False
    moved: bool = False
    script: str = ""  # super or sub
    rise: int = 0
    style: int = 0
    level: int | None = None
    in_table: bool = False
    field: _Field | None = None

    @property
    def is_seen(self) -> bool:
        gone = self.struck or self.struck_twice or self.hidden or self.deleted or self.moved
        return not gone


@dataclass(frozen=True, slots=True)
class _Font:
    name: str = ""
    encoding: str | None = None
    is_symbol: bool = False


class _Story:
    """A run of paragraphs with a layout of its own: the body, a note, a page's head."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.start: Checkpoint | None = None  # of the paragraph
        self.level: int | None = None
        self.boxes: list[str] = []  # text boxes of the paragraph
        self.in_row = False
        self.in_cell = False
        self.may_have_row = False  # another row may follow without a word of it


class Reader:
    """Reads a document.

    Attributes:
        layout: of the body.
        notes: the text of foot- and endnotes.
        margins: the text of heads and feet.
        title: that the document says.
    """

    def __init__(self) -> None:
        self._story = _Story()
        self.layout = self._story.layout
        self.notes: list[str] = []
        self.margins: list[str] = []
        self.title: str | None = None
        self._encoding = "cp1252"
        self._fonts: dict[int, _Font] = {}
        self._default_font = 0
        self._levels: dict[int, int] = {}  # of paragraphs' styles that are headings
        self._state = _State()
        self._stack: list[tuple[_State, Callable[[], None] | None]] = []
        self._end: Callable[[], None] | None = None  # of the group
        self._bytes = bytearray()  # waiting to be decoded
        self._skip = 0  # characters that stand for the \u before them
        self._surrogate = 0
        self._raised: tuple[str, str] | None = None  # how, and the text so far
        self._collected: list[str] = []  # text of a group that is no text of the page
        self._equation: list[Part] = []  # open groups of an equation

    def read(self, rtf: str) -> None:
        """Read a whole document."""
        at = 0
        while at < len(rtf):
            token = _TOKEN.match(rtf, at)
            if token is None:
                at += 1
                continue
            at = token.end()
            if token["text"]:
                self._text(token["text"])
            elif token["hex"]:
                self._byte(int(token["hex"], 16))
            elif token["word"]:
                number = int(token["number"]) if token["number"] else None
                if token["word"] == "bin":
                    at += max(number or 0, 0)
                    continue
                self._word(token["word"], number)
            elif token["brace"] == "{":
                self._decode()
                self._skip = 0
                self._stack.append((self._state, self._end))
                self._end = None
            elif token["brace"] == "}":
                self._decode()
                self._skip = 0
                self._close()
                if not self._stack:
                    break  # what follows the document is none of it
            elif token["escaped"]:
                self._escaped(token["escaped"])
        while self._stack:
            self._decode()
            self._close()
        self._decode()
        self._paragraph()

    # Text ----------------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        if self._skip:
            skipped = min(self._skip, len(text))
            self._skip -= skipped
            text = text[skipped:]
        self._bytes += text.encode("latin-1")

    def _byte(self, code: int) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._bytes.append(code)

    def _escaped(self, char: str) -> None:
        if char == "*":
            if self._state.kind not in ("unseen", "upr"):
                self._state = replace(self._state, kind="*")
        elif char in "\r\n":
            self._word("par", None)
        elif char == "\t":
            self._word("tab", None)
        elif self._skip:
            self._skip -= 1
        elif char in ESCAPED:
            self._decode()
            self._write(ESCAPED[char])

    def _unicode(self, code: int) -> None:
        self._decode()
        self._skip = self._state.fallback
        code %= 0x10000
        if 0xD800 <= code < 0xDC00:
            self._surrogate = code
            return
        if 0xDC00 <= code < 0xE000:
            high, self._surrogate = self._surrogate, 0
            code = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00 if high else 0xFFFD
        is_private = 0xF020 <= code < 0xF100
        self._write(sign(self._font().name, code) if is_private else chr(code))

    def _font(self) -> _Font:
        number = self._state.font
        return self._fonts.get(self._default_font if number < 0 else number, _Font())

    def _decode(self) -> None:
        """Write the bytes that wait."""
        if not self._bytes:
            return
        data, self._bytes = bytes(self._bytes), bytearray()
        font = self._font()
        if font.is_symbol and not self._state.kind:
            self._write("".join(sign(font.name, code) for code in data))
        else:
            self._write(data.decode(font.encoding or self._encoding, "replace"))

    def _write(self, text: str) -> None:
        state = self._state
        if state.kind:
            if state.kind == "equation" and self._equation:
                self._equation[-1].text += text
            elif state.kind == "fonttbl":
                font = self._fonts.get(state.font, _Font())
                name = (font.name + text).partition(";")[0].strip()
                self._fonts[state.font] = replace(font, name=name)
            elif state.kind == "stylesheet":
                if found := _HEADING_NAME.match(text.strip()):
                    self._levels.setdefault(state.style, int(found[1]) - 1)
            elif state.kind in _KEPT:
                self._collected.append(text)
            return
        if not state.is_seen or not text:
            return
        how = state.script
        if not how and abs(state.rise) >= _LEAST_RISE and len(text.strip()) <= _LONGEST_RAISED:
            how = "super" if state.rise > 0 else "sub"
        if self._raised is not None and how != self._raised[0]:
            self._end_raised()
        self._begin()
        if how:
            self._raised = (how, (self._raised[1] if self._raised else "") + text)
        else:
            self._story.layout.write(text)

    def _end_raised(self) -> None:
        if self._raised is None:
            return
        how, text = self._raised
        self._raised = None
        layout = self._story.layout
        if text[:1].isspace():
            layout.apart()
        if how == "super":
            layout.write_raised(text)
        else:
            layout.write_lowered(text)
        if text[-1:].isspace():
            layout.apart()

    # Paragraphs and tables -----------------------------------------------------------------------

    def _begin(self) -> None:
        """Begin a paragraph, and a cell where it is in a table, unless they have begun."""
        story = self._story
        if (story.in_row and not story.in_cell) or (
            not story.in_row and (self._state.in_table or story.may_have_row)
        ):
            self._begin_cell()
        if story.start is None:
            story.start = story.layout.checkpoint()
            story.level = self._level()

    def _begin_cell(self) -> None:
        story = self._story
        if not story.in_row:
            story.layout.row()
            story.in_row = True
        story.layout.cell()
        story.in_cell = True

    def _level(self) -> int | None:
        state = self._state
        level = self._levels.get(state.style) if state.level is None else state.level
        return None if level is None or not 0 <= level < _BODY_LEVEL else level + 1

    def _paragraph(self) -> None:
        """End a paragraph."""
        self._end_raised()
        story = self._story
        story.layout.release()
        if story.start is None:
            if not story.in_row:
                story.layout.paragraph()
        else:
            if story.level is not None and not story.in_row:
                story.layout.open_heading(story.level, story.start)
                story.layout.close_heading()
            story.layout.line()
        story.start = None
        boxes, story.boxes = story.boxes, []
        for box in boxes:
            story.layout.embed(box, ())

    def _cell(self) -> None:
        self._end_raised()
        story = self._story
        if not story.in_cell:
            self._begin_cell()
        story.start = None
        story.layout.end_cell()
        story.in_cell = False

    def _row(self) -> None:
        self._end_raised()
        story = self._story
        if story.in_cell:
            self._cell()
        story.layout.row()
        story.in_row = False
        story.may_have_row = True
        story.start = None

    # Words ---------------------------------------------------------------------------------------

    def _word(self, word: str, number: int | None) -> None:
        self._decode()
        self._skip = 0
        state = self._state
        if word == "u":
            if number is not None:
                self._unicode(number)
        elif word == "uc":
            self._state = replace(state, fallback=max(number or 0, 0))
        elif self._is_destination(word):
            self._destination(word)
        elif state.kind:
            self._hidden_word(word, number)
        elif word in _SWITCHES:
            switched: dict[str, Any] = {_SWITCHES[word]: number != 0}
            self._state = replace(state, **switched)
        elif word in ("super", "sub"):
            self._state = replace(state, script=word if number != 0 else "")
        elif word in ("up", "dn"):
            rise = 6 if number is None else number
            self._state = replace(state, rise=rise if word == "up" else -rise)
        elif word == "nosupersub":
            self._state = replace(state, script="", rise=0)
        elif word == "plain":
            self._state = _State(
                font=-1, fallback=state.fallback, style=state.style, level=state.level,
                in_table=state.in_table, field=state.field, deleted=state.deleted,
            )  # fmt: skip
        elif word == "f":
            self._state = replace(state, font=number or 0)
        elif word == "deff":
            self._default_font = number or 0
        elif word in ("ansicpg", "cpg"):
            self._encoding = of_page(number or 0)
        elif word in ("mac", "pc", "pca"):
            self._encoding = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word in SIGNS:
            self._write(SIGNS[word])
        elif state.is_seen or word not in ("par", "sect", *BREAKS):
            self._layout_word(word, number)

    def _layout_word(self, word: str, number: int | None) -> None:
        state = self._state
        match word:
            case "par" | "sect":
                self._paragraph()
            case "cell" | "nestcell":
                self._cell()
            case "row" | "nestrow":
                self._row()
            case "pard":
                self._story.may_have_row = False
                self._state = replace(state, style=0, level=None, in_table=False)
            case "trowd":
                self._story.may_have_row = True
            case "intbl":
                self._state = replace(state, in_table=True)
            case "s":
                self._state = replace(state, style=number or 0)
            case "outlinelevel":
                self._state = replace(state, level=number)
            case _ if word in BREAKS:
                self._end_raised()
                self._story.layout.line()

    def _hidden_word(self, word: str, number: int | None) -> None:
        """Take in a word of a group that is no text of the page."""
        kind = self._state.kind
        field = self._state.field
        if kind == "fonttbl":
            if word == "f":
                self._state = replace(self._state, font=number or 0)
                self._fonts.setdefault(number or 0, _Font())
            elif word in ("fcharset", "cpg"):
                encoding = of_charset(number or 0) if word == "fcharset" else of_page(number or 0)
                font = self._fonts.get(self._state.font, _Font())
                is_symbol = font.is_symbol or (word, number) == ("fcharset", SYMBOL_CHARSET)
                self._fonts[self._state.font] = _Font(
                    font.name, encoding or font.encoding, is_symbol
                )
        elif kind == "stylesheet":
            if word == "s":
                self._state = replace(self._state, style=number or 0)
            elif word == "outlinelevel":
                self._levels[self._state.style] = _BODY_LEVEL if number is None else number
        elif field is not None and word in ("fftype", "ffres", "ffdefres"):
            name = {"fftype": "kind", "ffres": "result", "ffdefres": "default"}[word]
            setattr(field, name, number or 0)
        elif word in SIGNS:
            self._write(SIGNS[word])

    # Groups --------------------------------------------------------------------------------------

    def _is_destination(self, word: str) -> bool:
        kind = self._state.kind
        if kind == "*":
            return True
        if kind == "unseen":
            return False
        if kind == "upr":
            return word == "ud"
        if kind == "equation":
            return word.startswith("m") and len(word) > 1 and self._end is None
        if kind in ("info", "fldinst", "formfield"):
            return word in ("title", "formfield", "ffl") or word in _UNSEEN
        return not kind and (
            word in _UNSEEN
            or word in _SEEN
            or word in ("fonttbl", "stylesheet", "info", "field", "fldrslt", "mmath")
        )

    def _destination(self, word: str) -> None:
        """Begin what a group is for."""
        inner = replace(self._state, kind="")
        match word:
            case "fonttbl" | "stylesheet":
                self._collect(word, inner)
            case "info":
                self._state = replace(inner, kind="info")
            case "title":
                self._collect("title", inner)
            case "field":
                self._state = replace(inner, field=_Field())
            case "fldinst":
                self._collect("fldinst", inner)
            case "fldrslt":
                self._result(inner)
            case "formfield":
                self._state = replace(inner, kind="formfield")
                self._end = self._end_of_formfield
            case "ffl":
                self._collect("ffl", inner)
            case "footnote":
                self._apart(self.notes, inner)
            case "shptxt":
                self._apart(self._story.boxes, inner)
            case "listtext" | "pntext":
                self._collect("marker", inner)
            case _ if word in _MARGINS:
                self._apart(self.margins, inner)
            case "mmath" | "moMath" | "moMathPara":
                self._begin_equation(inner)
            case _ if self._state.kind == "equation":
                self._equation_part(word)
            case "shpinst" | "ud" | "nesttableprops":
                self._state = inner
            case "upr":
                self._state = replace(inner, kind="upr")
            case _:
                self._state = replace(inner, kind="unseen")

    def _close(self) -> None:
        """End a group."""
        if not self._stack:
            return
        end = self._end
        # The words in it were written with its own state; its end is its parent's.
        self._state, self._end = self._stack.pop()
        if end is not None:
            end()

    def _collect(self, kind: str, inner: _State) -> None:
        self._end_raised()
        outer, self._collected = self._collected, []
        self._state = replace(inner, kind=kind)

        def end() -> None:
            text, self._collected = "".join(self._collected), outer
            match kind:
                case "title":
                    self.title = " ".join(text.split()) or None
                case "fldinst" if inner.field is not None:
                    inner.field.instruction += text
                    self._symbol(inner.field.instruction)
                case "ffl" if inner.field is not None:
                    inner.field.choices += (text.strip(),)
                case "marker":
                    self._marker(text)

        self._end = end

    def _marker(self, text: str) -> None:
        words = " ".join(text.split())
        if words and self._state.is_seen and any(map(str.isalnum, words)):
            self._begin()
            self._story.layout.write_marker(words)

    def _symbol(self, instruction: str) -> None:
        found = _SYMBOL_FIELD.search(instruction)
        if found:
            self._write_seen(sign(found[2].strip(), int(found[1][:6])))

    def _write_seen(self, text: str) -> None:
        outer, self._state = self._state, replace(self._state, kind="")
        self._write(text)
        self._state = outer

    def _result(self, inner: _State) -> None:
        instruction = inner.field.instruction.strip().upper() if inner.field else ""
        first = instruction.split(" ")[0]
        is_shown = first not in _PAGE_FIELDS and not _SYMBOL_FIELD.search(instruction)
        self._state = inner if is_shown else replace(inner, kind="unseen")

    def _end_of_formfield(self) -> None:
        field = self._state.field
        if field is None:
            return
        chosen = field.default if field.result == _UNDEFINED else field.result
        if field.kind == 1:
            self._write_seen(f"{_CHECKED if chosen else _UNCHECKED} ")
        elif field.kind == 2 and 0 <= chosen < len(field.choices):
            self._write_seen(field.choices[chosen])

    def _apart(self, texts: list[str], inner: _State) -> None:
        """Read what is printed elsewhere: a note, a page's head, a box."""
        self._end_raised()
        outer, self._story = self._story, _Story()
        self._state = _State(fallback=inner.fallback, font=inner.font)

        def end() -> None:
            self._paragraph()
            texts.append(self._story.layout.text())
            self._story = outer

        self._end = end

    def _begin_equation(self, inner: _State) -> None:
        if self._equation:
            self._state = replace(inner, kind="equation")
            return
        self._end_raised()
        self._equation = [Part("oMath")]
        self._state = replace(inner, kind="equation")

        def end() -> None:
            root = self._equation[0]
            self._equation = []
            self._write_seen(equation_text(root))

        self._end = end

    def _equation_part(self, word: str) -> None:
        part = Part(word[1:])
        if len(self._equation) < _DEEPEST_EQUATION:
            self._equation[-1].parts.append(part)
        self._equation.append(part)

        def end() -> None:
            if len(self._equation) > 1:
                self._equation.pop()

        self._end = end
