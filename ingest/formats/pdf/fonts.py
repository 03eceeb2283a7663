"""The letters of a font that does not say them: from its table, or from the names of its glyphs."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from typing import Any

from pypdf._codecs.adobe_glyphs import adobe_glyphs
from pypdf.errors import PyPdfError

from docqa.ingest.formats.ligatures import without_ligatures

# The characters that codes stand for, by the name of a font that doesn't say them.
Letters = dict[str, dict[int, str]]

_MOST_BYTES = 32 << 20
# The clear part of a Type 1 font, where its encoding stands.
_MOST_CLEAR = 64 << 10
_SUBSET = re.compile(r"[A-Z]{6}\+")
_ENCODED = re.compile(rb"\bdup\s+(\d{1,3})\s*/([!-~]+)\s+put\b")
# Names that say no more than a code: the code itself is the better guess.
_NUMBERED = re.compile(r"[A-Za-z]{1,5}[0-9A-Fa-f]*\d[0-9A-Fa-f]*")
_UNICODE = {(3, 10): 4, (0, 4): 3, (0, 6): 3, (3, 1): 2, (0, 3): 1, (0, 2): 1, (0, 1): 1, (0, 0): 1}


def letters_by_font(page: Any) -> Letters:
    """Return the characters of codes for a page's fonts that have no map to Unicode.

    Args:
        page: pypdf's.

    Returns:
        By the font's name, then by the code; empty for a sign that is no character (a note of
        music). Fonts that don't tell are left out.
    """
    found: Letters = {}
    resources = [page.get("/Resources", {})]
    for _ in range(4):
        inner = []
        for resource in resources[:200]:
            # Fonts that are damaged are left out.
            with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
                for font in resource.get_object().get("/Font", {}).get_object().values():
                    with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
                        _add_letters(font.get_object(), found)
            with suppress(PyPdfError, AttributeError, LookupError, TypeError, ValueError):
                for item in resource.get_object().get("/XObject", {}).get_object().values():
                    inner.append(item.get_object().get("/Resources", {}))
        resources = inner
    return found


def _add_letters(font: Any, found: Letters) -> None:
    name = str(font["/BaseFont"])[1:]
    if "/ToUnicode" in font or name in found:
        return
    if "/DescendantFonts" not in font:
        said = ((code, letter_of(glyph)) for code, glyph in _named(font).items())
        known = {code: letter for code, letter in said if letter is not None}
        if known:
            found[name] = known
            bare = name[7:] if _SUBSET.match(name) else name  # as pdfium calls it
            found[bare] = known | found.get(bare, {})
        return
    if not str(font["/Encoding"]).startswith("/Identity"):
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


def _named(font: Any) -> dict[int, str]:
    """Return the names that a simple font gives to the glyphs of its codes."""
    encoding = font.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    names: dict[int, str] = {}
    if isinstance(encoding, dict):
        code = 0
        for item in encoding.get("/Differences", []):
            item = item.get_object()
            if isinstance(item, str):
                names[code] = item[1:]
                code += 1
            else:
                code = int(item)
    elif encoding is None:
        program = font["/FontDescriptor"].get_object()["/FontFile"].get_object().get_data()
        for number, glyph in _ENCODED.findall(program[:_MOST_CLEAR]):
            names[int(number)] = glyph.decode("ascii")
    return names


def letter_of(glyph: str) -> str | None:
    """Return what the name of a glyph says; empty for a picture, None where it says nothing.

    >>> letter_of("angbracketleft"), letter_of("f_f_i"), letter_of("noteheads.s2")
    ('\u27e8', 'ffi', '')
    """
    if glyph == ".notdef":
        return None
    parts = glyph.split(".")[0].split("_")
    letters = [adobe_glyphs.get(f"/{part}") or _by_number(part) for part in parts]
    if all(letters):
        return without_ligatures("".join(map(str, letters)))
    return None if _NUMBERED.fullmatch(glyph) else ""


def _by_number(name: str) -> str | None:
    """Return the characters of names such as ``uni00E9`` and ``u1F600``."""
    if re.fullmatch(r"uni(?:[0-9A-F]{4})+", name):
        codes = [int(name[at : at + 4], 16) for at in range(3, len(name), 4)]
    elif re.fullmatch(r"u[0-9A-F]{4,6}", name):
        codes = [int(name[1:], 16)]
    else:
        return None
    if any(0xD800 <= code < 0xE000 or code > 0x10FFFF for code in codes):
        return None
    return "".join(map(chr, codes))


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
