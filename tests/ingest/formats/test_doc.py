"""Old Word documents, made by hand as [MS-DOC] says."""

from __future__ import annotations

import struct

import pytest

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import extract
from docqa.ingest.formats.doc import extract_doc
from tests.compound import compound_file

STRUCK, HIDDEN = b"\x37\x08\x01", b"\x3c\x08\x01"
RAISED = b"\x48\x2a\x01"
IN_TABLE, ROW_END = b"\x16\x24\x01", b"\x17\x24\x01"
_TEXT_AT, _CHARACTERS_AT, _PARAGRAPHS_AT = 1024, 2048, 2560


def page(formats: list[tuple[int, bytes]], end: int, is_paragraphs: bool) -> bytes:
    """A page of formats, each from a place of the stream on."""
    made = bytearray(512)
    places = [place for place, _ in formats] + [end]
    struct.pack_into(f"<{len(places)}I", made, 0, *places)
    at = 510
    for entry, (_, packed) in enumerate(formats):
        if not packed:
            continue
        if is_paragraphs:
            packed = packed + b"\0" * (1 - len(packed) % 2)
            stored = bytes([(len(packed) + 1) // 2]) + packed
        else:
            stored = bytes([len(packed)]) + packed
        at = (at - len(stored)) & ~1
        made[at : at + len(stored)] = stored
        made[4 * len(places) + (13 if is_paragraphs else 1) * entry] = at // 2
    made[511] = len(formats)
    return bytes(made)


def doc(
    *paragraphs: tuple[str, int, bytes], characters: dict[str, bytes] | None = None, flags: int = 0
) -> bytes:
    """A document of paragraphs with their marks, styles and formats, and of words with formats."""
    text = "".join(words for words, _, _ in paragraphs)
    stream = bytearray(4096)
    struct.pack_into("<HH", stream, 0, 0xA5EC, 193)
    struct.pack_into("<H", stream, 10, flags)
    struct.pack_into("<I", stream, 0x4C, len(text))
    half = len(text) // 2  # one piece in cp1252, one in UTF-16
    first, second = text[:half].encode("cp1252"), text[half:].encode("utf-16-le")
    stream[_TEXT_AT : _TEXT_AT + len(first)] = first
    second_at = _TEXT_AT + len(first)
    stream[second_at : second_at + len(second)] = second

    def place(at: int) -> int:
        return _TEXT_AT + at if at < half else second_at + 2 * (at - half)

    end = second_at + len(second)
    runs = [(_TEXT_AT, b"")]
    for words, packed in (characters or {}).items():
        start = text.index(words)
        runs += [(place(start), packed), (place(start + len(words)), b"")]
    starts, at = [], 0
    for words, style, packed in paragraphs:
        starts.append((place(at), struct.pack("<H", style) + packed))
        at += len(words)
    stream[_CHARACTERS_AT : _CHARACTERS_AT + 512] = page(sorted(runs), end, False)
    stream[_PARAGRAPHS_AT : _PARAGRAPHS_AT + 512] = page(starts, end, True)
    pieces = struct.pack("<3I", 0, half, len(text))
    pieces += struct.pack("<HIH", 0, (2 * _TEXT_AT) | 0x40000000, 0)
    pieces += struct.pack("<HIH", 0, second_at, 0)
    table = b""
    for pointer, packed in (
        (0xFA, struct.pack("<3I", _TEXT_AT, end, _CHARACTERS_AT // 512)),
        (0x102, struct.pack("<3I", _TEXT_AT, end, _PARAGRAPHS_AT // 512)),
        (0x1A2, b"\2" + struct.pack("<I", len(pieces)) + pieces),
    ):
        struct.pack_into("<2I", stream, pointer, len(table), len(packed))
        table += packed
    return compound_file({"WordDocument": bytes(stream), "0Table": table})


WHOLE = doc(
    ("Lease\r", 1, b""),
    ("It costs 4 5 euros, 3 x 106 in all, \x13 PAGE \x14seven\x15.\r", 0, b""),
    ("Name\7", 0, IN_TABLE),
    ("Age\7", 0, IN_TABLE),
    ("\7", 0, IN_TABLE + ROW_END),
    ("“Ends” in Čáslav.\r", 0, b""),
    characters={"4 ": STRUCK, "in all, ": HIDDEN, "6": RAISED},
)


def test_old_word_is_read_as_its_page_is() -> None:
    extracted = extract_doc(WHOLE)
    assert [(h.text, h.level, h.start) for h in extracted.outline] == [("Lease", 1, 0)]
    assert extracted.text == (
        "Lease\n\nIt costs 5 euros, 3 x 10⁶ seven.\nName\tAge\n\n“Ends” in Čáslav."
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (doc(("text\r", 0, b""), flags=0x100), "encrypted"),
        (doc(("text\r", 0, b""), flags=0x200), "not a Word document"),
        (WHOLE.replace(b"\xec\xa5", b"\xdc\xa5"), "before Word 97"),
        # It was said to be damaged.
        (WHOLE.replace(b"\xec\xa5", b"\x99\xa6"), "before Word 97"),
        (b"{\\rtf1 text}", "ends in .rtf"),
        (b"text", "not an old Word document"),
        (compound_file({"Workbook": b"x"}), "not a Word document"),
        (WHOLE[:2000], "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(IngestError, match=reason):
        extract("doc", data)
