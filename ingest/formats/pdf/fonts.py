"""The letters of a font that doesn't say them: from the TrueType table that lists them."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

from pypdf.errors import PyPdfError

# The characters that codes stand for, by the name of a font that doesn't say them.
Letters = dict[str, dict[int, str]]

_MOST_BYTES = 32 << 20
_UNICODE = {(3, 10): 4, (0, 4): 3, (0, 6): 3, (3, 1): 2, (0, 3): 1, (0, 2): 1, (0, 1): 1, (0, 0): 1}


def letters_by_font(page: Any) -> Letters:
    """Return the characters of codes for a page's fonts that have no map to Unicode.

    Args:
        page: pypdf's.

    Returns:
        By the font's name, then by the code. Fonts whose own table doesn't tell are left out.
    """
    found: Letters = {}
    resources = [page.get("/Resources", {})]
    for _ in range(4):
        inner = []
        for resource in resources[:200]:
            # Fonts that are damaged are left out.
            with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
                for font in resource.get_object().get("/Font", {}).get_object().values():
                    _add_letters(font.get_object(), found)
            with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
                for item in resource.get_object().get("/XObject", {}).get_object().values():
                    inner.append(item.get_object().get("/Resources", {}))
        resources = inner
    return found


def _add_letters(font: Any, found: Letters) -> None:
    name = str(font["/BaseFont"])[1:]
    if "/ToUnicode" in font or name in found or not str(font["/Encoding"]).startswith("/Identity"):
        return
    descendant = font["/DescendantFonts"][0].get_object()
    descriptor = descendant["/FontDescriptor"].get_object()
    key = "/FontFile2" if "/FontFile2" in descriptor else "/FontFile3"
    try:
        letters = letters_of(descriptor[key].get_object().get_data()[:_MOST_BYTES])
    except struct.error:
        return
    to_glyph = descendant.get("/CIDToGIDMap")
    if to_glyph is not None and to_glyph.get_object() != "/Identity":
        to_glyph = to_glyph.get_object()
        table = to_glyph.get_data()[: 2 << 16]
        glyphs = struct.unpack(f">{len(table) // 2}H", table[: len(table) // 2 * 2])
        letters = {code: letters[glyph] for code, glyph in enumerate(glyphs) if glyph in letters}
    if letters:
        found[name] = letters


def letters_of(data: bytes) -> dict[int, str]:
    """Return the character of each glyph by a TrueType or OpenType font's ``cmap`` table."""
    table = _table(data, b"cmap")
    if table is None:
        return {}
    (count,) = struct.unpack_from(">H", data, table + 2)
    best = (0, 0)
    for at in range(min(count, 64)):
        platform, encoding, offset = struct.unpack_from(">HHL", data, table + 4 + 8 * at)
        best = max(best, (_UNICODE.get((platform, encoding), 0), table + offset))
    if not best[0]:
        return {}
    letters: dict[int, str] = {}
    for code, glyph in _pairs(data, best[1]):
        if glyph and 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xF900:
            letters.setdefault(glyph, chr(code))
    return letters


def _table(data: bytes, tag: bytes) -> int | None:
    (count,) = struct.unpack_from(">H", data, 4)
    for at in range(min(count, 256)):
        name, _, offset, _ = struct.unpack_from(">4sLLL", data, 12 + 16 * at)
        if name == tag:
            return int(offset)
    return None


def _pairs(data: bytes, at: int) -> list[tuple[int, int]]:
    (kind,) = struct.unpack_from(">H", data, at)
    if kind == 12:
        (count,) = struct.unpack_from(">L", data, at + 12)
        pairs: list[tuple[int, int]] = []
        for group in range(min(count, 10_000)):
            first, last, glyph = struct.unpack_from(">LLL", data, at + 16 + 12 * group)
            last = min(last, first + 0xFFFF, 0x10FFFF)
            pairs += [(code, glyph + code - first) for code in range(first, last + 1)]
            if len(pairs) > 200_000:
                break
        return pairs
    if kind == 6:
        first, count = struct.unpack_from(">HH", data, at + 6)
        glyphs = struct.unpack_from(f">{count}H", data, at + 10)
        return [(first + step, glyph) for step, glyph in enumerate(glyphs)]
    return _segments(data, at) if kind == 4 else []


def _segments(data: bytes, at: int) -> list[tuple[int, int]]:
    (twice,) = struct.unpack_from(">H", data, at + 6)
    count = twice // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + twice)
    deltas = struct.unpack_from(f">{count}H", data, at + 16 + 2 * twice)
    ranges_at = at + 16 + 3 * twice
    ranges = struct.unpack_from(f">{count}H", data, ranges_at)
    pairs: list[tuple[int, int]] = []
    for segment, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, ranges, strict=True)
    ):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                place = ranges_at + 2 * segment + offset + 2 * (code - start)
                (glyph,) = struct.unpack_from(">H", data, place)
                if not glyph:
                    continue
            pairs.append((code, (glyph + delta) & 0xFFFF))
        if len(pairs) > 200_000:
            break
    return pairs
