"""Excel: each sheet's rows with their headers, as :mod:`rows` writes them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import WorkSheetParser

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import check_size
from docqa.ingest.formats.raised import lowered, raised
from docqa.ingest.formats.rows import write_tables

_OLE = b"\xd0\xcf\x11\xe0"
_CURRENCY = re.compile(r'\[\$([^\]-]+)[^\]]*\]|"([^"]*)"|([$€£¥])')
_ON = ("1", "true")
_MOST_COLUMNS = 16_384
_DIGIT = re.compile("[0#]")
_DECIMALS = re.compile(r"[0#?]\.([0#?]+)")


def extract_xlsx(data: bytes) -> Extracted:
    """Read a workbook: the values that its sheets show, without charts and hidden sheets.

    Raises:
        IngestError: not Excel, encrypted, damaged, or nothing in it.
    """
    if data.startswith(_OLE):
        raise IngestError(
            "not an .xlsx inside: encrypted, or of an old version of Excel; "
            "save it as .xlsx without a password"
        )
    check_size(data, "Excel")
    try:
        workbook = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, rich_text=True
        )
    except (InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise IngestError("not a file of Excel, or damaged") from error
    composer = Composer()
    struck = frozenset(at for at, font in enumerate(workbook._fonts) if font.strike)
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            composer.gaps.append(f"the hidden sheet {sheet.title} is left out")
            continue
        composer.heading(sheet.title, 1)
        rows = _Rows(sheet, struck)
        write_tables(rows, composer)
        if rows.left_out:
            composer.gaps.append(f"hidden rows or columns of the sheet {sheet.title} are left out")
    return composer.extracted(workbook.properties.title)


class _Rows:
    """The rows of a sheet as they are shown.

    Args:
        sheet: the sheet.
        struck: numbers of the fonts that strike text out.

    Attributes:
        left_out: whether rows or columns of those read so far are hidden.
    """

    def __init__(self, sheet: ReadOnlyWorksheet, struck: frozenset[int]) -> None:
        self.left_out = False
        self._sheet = sheet
        self._struck = struck

    def __iter__(self) -> Iterator[list[str]]:
        book = self._sheet.parent
        with self._sheet._get_source() as source:
            # The sheet's own way to its rows says nothing of what is hidden in them.
            parser = WorkSheetParser(
                source,
                self._sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
                rich_text=True,
            )
            before = 0
            for number, cells in parser.parse():
                if number > before + 1:
                    yield []
                before = number
                said = parser.row_dimensions.pop(str(number), {})
                if said.get("hidden") in _ON:
                    self.left_out = True
                elif cells:
                    yield self._row(cells, parser.column_dimensions)

    def _row(self, cells: list[dict[str, Any]], columns: dict[str, Any]) -> list[str]:
        row = [""] * min(max(cell["column"] for cell in cells), _MOST_COLUMNS)
        for cell in cells:
            column = cell["column"]
            made = ReadOnlyCell(self._sheet, **cell)
            if not 1 <= column <= len(row) or made.value is None:
                continue
            if _is_hidden(column, columns):
                self.left_out = True
            elif not (self._struck and made.style_array.fontId in self._struck):
                row[column - 1] = shown(made.value, made.number_format)
        return row


def _is_hidden(column: int, columns: dict[str, Any]) -> bool:
    if not columns:
        return False
    # A letter stands for the columns from it to the number in "max".
    return any(
        said.get("hidden") in _ON
        and int(said.get("min", 0)) <= column <= int(said.get("max", said.get("min", 0)))
        for said in columns.values()
    )


def shown(value: object, number_format: str) -> str:
    """Return a cell's value about as Excel shows it; dates in ISO's form."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case datetime():
            is_day = value.time() == time()
            return value.date().isoformat() if is_day else value.isoformat(" ", "minutes")
        case date() | time() | timedelta():
            return str(value)
        case CellRichText():
            return _rich(value)
        case int() | float():
            return _number(value, number_format or "General")
        case _:
            return str(value)


def _rich(pieces: CellRichText) -> str:
    """Return the text of a cell whose letters are not all alike."""
    words = ""
    for piece in pieces:
        font = getattr(piece, "font", None)
        text = str(piece)
        if font is None:
            words += text
        elif not font.strike:
            match font.vertAlign:
                case "superscript":
                    words += raised(words, text)
                case "subscript":
                    words += lowered(words, text)
                case _:
                    words += text
    return words


def _number(value: float, number_format: str) -> str:
    positive, *others = number_format.split(";")
    if others and not positive:  # ;;; hides a number
        return ""
    decimals = _DECIMALS.search(positive)
    places = len(decimals[1]) if decimals else 0
    if "%" in positive:
        return f"{value:.{places}%}"
    digit = _DIGIT.search(positive)
    if digit is None:  # General, text
        return str(value) if isinstance(value, int) else f"{value:.15g}"
    if "E+" in positive or "/" in positive:
        return f"{value:.15g}"
    group = "," if ",#" in positive or ",0" in positive else ""
    digits = f"{value:{group}.{places}f}"
    sign = _CURRENCY.search(positive)
    if sign is None:
        return digits
    words = (sign[1] or sign[2] or sign[3] or "").strip()
    if sign.start() > digit.start():
        return f"{digits} {words}".strip()
    return f"{words}{digits}" if len(words) == 1 else f"{words} {digits}".strip()
