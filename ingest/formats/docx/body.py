"""The stories of a Word document (body, notes, headers), laid out as they are printed."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from docqa.ingest.formats.docx.chunks import embedded
from docqa.ingest.formats.docx.equations import equation_text
from docqa.ingest.formats.docx.numbering import Numbering
from docqa.ingest.formats.docx.package import Package, child, is_on, number, short, value
from docqa.ingest.formats.docx.styles import (
    RunLook,
    Style,
    Styles,
    heading_level,
    merge_paragraphs,
    paragraph_look,
)
from docqa.ingest.formats.layout import Checkpoint, Layout
from docqa.ingest.formats.symbols import readable, sign

# Deleted or moved text; how a word is spoken; the second copy of drawings that old versions of
# Word show; what describes and is not shown.
_UNSEEN = frozenset(
    (
        "w:del w:moveFrom w:rt mc:Fallback w:rPr w:pPr w:tblPr w:trPr w:tcPr w:sectPr w:sdtPr "
        "w:instrText w:delText w:delInstrText"
    ).split()
)
_PAGE_FIELDS = ("PAGE", "NUMPAGES", "SECTIONPAGES")
# A raised sign is set higher by this many half points; less is a matter of looks.
_LEAST_RISE = 4
_WHITE = "FFFFFF"
_UNSEEN_SIZE = 4  # half points
_LONGEST_RAISED = 4
_CHECKED, _UNCHECKED = "[x]", "[ ]"


class Story:
    """Lays parts of a document out, one after the other.

    Attributes:
        title: the first paragraph in the style for titles.
        gaps: what can't be read, a sentence each.
    """

    def __init__(
        self, package: Package, styles: Styles, numbering: Numbering, layout: Layout
    ) -> None:
        self.title: str | None = None
        self.gaps: list[str] = []
        self._package = package
        self._styles = styles
        self._numbering = numbering
        self._layout = layout
        self._part = ""
        self._style = Style()  # of the paragraph
        self._boxes: list[etree._Element] = []  # text boxes of the paragraph
        self._continues = False  # the last paragraph's end was deleted
        self._start: Checkpoint | None = None  # of that paragraph
        self._is_shaded = False  # the paragraph
        self._filled = 0  # open tables and boxes, whose colours aren't known
        self._raised: tuple[str, str] | None = None  # how, and the text so far
        self._fields: list[tuple[str, bool]] = []  # open ones: instruction, whether results follow

    def lay_out(self, part: str, root: etree._Element) -> None:
        """Lay one part out."""
        self._part = part
        self._continues = False
        self._fields.clear()
        # A page that isn't white may have white text.
        self._filled = int(child(root, "w:background") is not None)
        self._walk(root)
        self._layout.paragraph()

    def _walk(self, element: etree._Element) -> None:
        for found in element:
            self._lay_out(found)

    def _lay_out(self, element: etree._Element) -> None:
        name = short(element.tag)
        if name in _UNSEEN:
            return
        match name:
            case "w:p":
                self._paragraph(element)
            case "w:r":
                self._run(element)
            case "w:tbl":
                self._layout.paragraph()
                self._filled += 1
                self._walk(element)
                self._filled -= 1
                self._layout.paragraph()
            case "w:tr":
                self._row(element)
            case "w:tc":
                if child(child(element, "w:tcPr"), "w:cellDel") is None:
                    self._layout.cell()
                    self._walk(element)
                    self._layout.end_cell()
            case "w:altChunk":
                self._chunk(element)
            case "w:txbxContent":
                self._boxes.append(element)
            case "w:sdt" if child(child(element, "w:sdtPr"), "w14:checkbox") is not None:
                self._box(child(child(child(element, "w:sdtPr"), "w14:checkbox"), "w14:checked"))
            case "w:sdt" if is_on(child(child(element, "w:sdtPr"), "w:showingPlcHdr")):
                pass  # nobody has filled it in: it shows what to do with it
            case "w:fldSimple":
                if not _is_page_field(value(element, "w:instr") or ""):
                    self._walk(element)
            case "m:oMathPara":
                self._layout.line()
                self._walk(element)
                self._layout.line()
            case "m:oMath":
                self._end_raised()
                self._layout.write(equation_text(element))
            case _:
                self._walk(element)

    def _paragraph(self, element: etree._Element) -> None:
        properties = child(element, "w:pPr")
        self._style = self._styles.style(value(child(properties, "w:pStyle")))
        look = merge_paragraphs(paragraph_look(properties), self._style.paragraph)
        self._is_shaded = bool(look.shaded)
        if paragraph_look(properties).list_id is not None:
            look = replace(look, style=None)
        mark = child(properties, "w:rPr")
        # Without its end, a paragraph goes on in the next one.
        ends = child(mark, "w:del") is None and child(mark, "w:moveFrom") is None
        ends = ends and not is_on(child(mark, "w:vanish"))
        outer, self._boxes = self._boxes, []
        begins = not self._continues
        if begins:
            self._layout.line()
        checkpoint = self._layout.checkpoint()
        if begins and (ends or _has_text(element)) and (marker := self._numbering.marker(look)):
            self._layout.write_marker(marker)
        self._walk(element)
        self._end_raised()
        start = checkpoint if begins or self._start is None else self._start
        level = heading_level(look)
        if level is not None and ends:
            # The number belongs to the heading, as does a paragraph that goes on in it.
            self._layout.open_heading(level, start)
            self._layout.close_heading()
        self._start = start
        if self._style.is_title and self.title is None:
            self.title = " ".join(self._layout.since(checkpoint).split()) or None
        self._layout.release()
        wrote = self._layout.length > checkpoint.length
        self._continues = not ends and (wrote or self._continues)
        if ends:
            self._layout.line()
        boxes, self._boxes = self._boxes, outer
        self._filled += 1
        for box in boxes:
            self._layout.line()
            self._walk(box)
            self._layout.line()
        self._filled -= 1

    def _row(self, element: etree._Element) -> None:
        properties = child(element, "w:trPr")
        if child(properties, "w:del") is None and not is_on(child(properties, "w:hidden")):
            self._layout.row()
            self._walk(element)
            self._layout.row()

    def _run(self, element: etree._Element) -> None:
        look = self._styles.run(self._style, child(element, "w:rPr"))
        for found in element:
            self._run_part(found, short(found.tag), look)

    def _run_part(self, element: etree._Element, name: str, look: RunLook) -> None:
        if name == "w:fldChar":
            self._field(element)
            return
        if name == "w:instrText":
            if self._fields and not self._fields[-1][1]:
                instruction, _ = self._fields[-1]
                self._fields[-1] = (instruction + (element.text or ""), False)
            return
        if look.hidden or look.struck or look.struck_twice or name in _UNSEEN:
            return
        is_white = look.color == _WHITE and not look.shaded and not self._is_shaded
        if (is_white and not self._filled) or (look.size or _UNSEEN_SIZE + 1) <= _UNSEEN_SIZE:
            return
        if any(shows and _is_page_field(instruction) for instruction, shows in self._fields):
            return
        match name:
            case "w:t":
                self._write(readable(element.text or "", look.font), look)
            case "w:sym":
                code = value(element, "w:char") or ""
                try:
                    self._write(sign(value(element, "w:font") or "", int(code, 16)), look)
                except ValueError:
                    self._write("", look)
            case "w:tab" | "w:ptab":
                self._end_raised()
                self._layout.write(" ")
            case "w:noBreakHyphen":
                self._write("-", look)
            case "w:br" | "w:cr":
                self._end_raised()
                self._layout.line()
            case "w:ruby":
                self._walk(element)
            case "w:rubyBase":
                self._walk(element)
            case _ if len(element):
                self._end_raised()
                self._lay_out(element)

    def _write(self, text: str, look: RunLook) -> None:
        how = _script(text, look)
        if self._raised is not None and (how is None or how != self._raised[0]):
            self._end_raised()
        if how is None:
            self._layout.write(text)
        else:
            self._raised = (how, (self._raised[1] if self._raised else "") + text)

    def _end_raised(self) -> None:
        if self._raised is None:
            return
        how, text = self._raised
        self._raised = None
        if text[:1].isspace():
            self._layout.apart()
        if how == "superscript":
            self._layout.write_raised(text)
        else:
            self._layout.write_lowered(text)
        if text[-1:].isspace():
            self._layout.apart()

    def _field(self, element: etree._Element) -> None:
        match value(element, "w:fldCharType"):
            case "begin":
                self._fields.append(("", False))
                self._form_field(element)
            case "separate" if self._fields:
                self._fields[-1] = (self._fields[-1][0], True)
            case "end" if self._fields:
                self._fields.pop()

    def _form_field(self, element: etree._Element) -> None:
        """Write what a form's field holds that is no text: a box, or the choice of a list."""
        data = child(element, "w:ffData")
        box = child(data, "w:checkBox")
        if box is not None:
            said = child(box, "w:checked")
            self._box(child(box, "w:default") if said is None else said)
        choices = child(data, "w:ddList")
        if choices is not None:
            entries = [value(found) or "" for found in choices if short(found.tag) == "w:listEntry"]
            chosen = number(value(child(choices, "w:result"))) or 0
            self._layout.write(entries[chosen] if 0 <= chosen < len(entries) else "")

    def _box(self, switch: etree._Element | None) -> None:
        self._layout.write(_CHECKED if is_on(switch) else _UNCHECKED)
        self._layout.apart()

    def _chunk(self, element: etree._Element) -> None:
        name = self._package.by_id(self._part, value(element, "r:id") or "")
        extracted = None if name is None else embedded(name, self._package.read(name))
        if extracted is None:
            self.gaps.append(f"an embedded document ({name or 'elsewhere'}) is not read")
        else:
            self._layout.embed(extracted.text, extracted.outline)
            self.gaps.extend(extracted.gaps)


def _is_page_field(instruction: str) -> bool:
    return instruction.strip().upper().split(" ")[0] in _PAGE_FIELDS


def _has_text(element: etree._Element) -> bool:
    """Return whether a paragraph holds more than what was deleted."""
    return any(short(found.tag) in ("w:r", "w:ins", "w:hyperlink", "w:sdt") for found in element)


def _script(text: str, look: RunLook) -> str | None:
    if look.align in ("superscript", "subscript"):
        return look.align
    rise = look.position or 0
    if abs(rise) >= _LEAST_RISE and len(text.strip()) <= _LONGEST_RAISED:
        return "superscript" if rise > 0 else "subscript"
    return None
