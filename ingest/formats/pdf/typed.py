"""What was typed into a page: values of form fields, and notes."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

from docqa.ingest.formats.pdf.coordinates import Coordinates
from docqa.ingest.formats.pdf.glyph import Glyph

_UNSEEN_FLAGS = 2 | 32  # hidden; not for the screen
_PASSWORD = 1 << 13
_KNOWN_KINDS = range(1, 16)


def typed_texts(
    page: Any, form: Any
) -> tuple[list[tuple[str, tuple[float, float, float, float]]], bool]:
    """Take the values of form fields and typed notes off a page.

    Returns:
        Texts with their boxes (left, bottom, right, top in the page's own coordinates), and
        whether notes are left that draw their own text.
    """
    typed = []
    to_flatten = False
    for at in reversed(range(min(pdfium.FPDFPage_GetAnnotCount(page), 5000))):
        note = pdfium.FPDFPage_GetAnnot(page, at)
        if not note:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        box = pdfium.FS_RECTF()
        seen = not pdfium.FPDFAnnot_GetFlags(note) & _UNSEEN_FLAGS
        is_widget = kind == pdfium.FPDF_ANNOT_WIDGET
        if seen and is_widget:
            value = _field_value(form, note)
        elif (
            seen and kind == pdfium.FPDF_ANNOT_FREETEXT and not pdfium.FPDFAnnot_HasKey(note, b"AP")
        ):
            value = _string(pdfium.FPDFAnnot_GetStringValue, note, b"Contents")
        else:
            value = ""
        if value and pdfium.FPDFAnnot_GetRect(note, box):
            typed.append((value, (box.left, box.bottom, box.right, box.top)))
        to_flatten |= seen and kind in (pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP)
        pdfium.FPDFPage_CloseAnnot(note)
        if is_widget:  # or its value would be drawn into the page as well
            pdfium.FPDFPage_RemoveAnnot(page, at)
    return typed[::-1], to_flatten


def _field_value(form: Any, note: Any) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, note)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        state = _string(pdfium.FPDFAnnot_GetStringValue, note, b"AS")
        chosen = state not in ("", "Off")
        signs = "☐☒" if kind == pdfium.FPDF_FORMFIELD_CHECKBOX else "○◉"
        return signs[chosen]
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        if pdfium.FPDFAnnot_GetFormFieldFlags(form, note) & _PASSWORD:
            return ""
        return _string(pdfium.FPDFAnnot_GetFormFieldValue, form, note)
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        chosen_labels = [
            _string(pdfium.FPDFAnnot_GetOptionLabel, form, note, option)
            for option in range(min(pdfium.FPDFAnnot_GetOptionCount(form, note), 1000))
            if pdfium.FPDFAnnot_IsOptionSelected(form, note, option)
        ]
        return ", ".join(chosen_labels) or _string(pdfium.FPDFAnnot_GetFormFieldValue, form, note)
    if kind not in _KNOWN_KINDS:  # a field that the file's list of fields leaves out
        return _string(pdfium.FPDFAnnot_GetStringValue, note, b"V")
    return ""


def _string(get: Any, *arguments: Any) -> str:
    """Call one of pdfium's functions that give UTF-16 text."""
    size = get(*arguments, None, 0)
    if not 2 < size <= 1 << 20:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    get(*arguments, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")


def typed_glyphs(
    text: str,
    place: Coordinates,
    box: tuple[float, float, float, float],
    beside: list[Glyph],
    run: int,
) -> list[Glyph]:
    """Set a typed text into its box, on the base line of the words beside it if there are any."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return []
    x1, y1 = place.point(box[0], box[1])
    x2, y2 = place.point(box[2], box[3])
    left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    size = min(12.0, max(4.0, (bottom - top) / (1.25 * len(lines))))
    pitch = (bottom - top) / len(lines)
    bases = [
        glyph.base
        for glyph in beside
        if glyph.direction == 0 and top < glyph.base - 0.3 * glyph.size < bottom
    ]
    middle = (top + bottom) / 2 + 0.35 * size
    lift = 0.0
    if bases and len(lines) == 1:
        lift = min(bases, key=lambda base: abs(base - middle)) - middle
    glyphs = []
    for number, line in enumerate(lines):
        advance = min(0.5 * size, max(0.5, (right - left) / len(line)))
        base = top + (number + 0.5) * pitch + 0.35 * size + lift
        for at, char in enumerate(line):
            start = left + at * advance
            glyphs.append(
                Glyph(
                    char,
                    start,
                    start + advance,
                    base,
                    size,
                    0,
                    run,
                    field=(left, top, right, bottom),
                )
            )
    return glyphs
