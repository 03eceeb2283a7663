"""Excel: each sheet's rows with their headers, as :mod:`rows` writes them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import Extracted
from docqa.ingest.formats.composer import Composer
from docqa.ingest.formats.packed import check_size
from docqa.ingest.formats.rows import write_tables

_OLE = b"\xd0\xcf\x11\xe0"
_CURRENCY = re.compile(r'\[\$([^\]-]+)[^\]]*\]|"([^"]*)"|([$€£¥])')
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
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise IngestError("not a file of Excel, or damaged") from error
    composer = Composer()
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            composer.gaps.append(f"the hidden sheet {sheet.title} is left out")
            continue
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        composer.heading(sheet.title, 1)
        write_tables(_rows(sheet), composer)
    return composer.extracted(workbook.properties.title)


def _rows(sheet: openpyxl.worksheet._read_only.ReadOnlyWorksheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [shown(cell.value, cell.number_format) for cell in row]


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
        case int() | float():
            return _number(value, number_format or "General")
        case _:
            return str(value)


def _number(value: float, number_format: str) -> str:
    positive, *_ = number_format.split(";")
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
