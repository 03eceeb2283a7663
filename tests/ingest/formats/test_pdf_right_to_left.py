"""Hebrew and Arabic are read from the right, numbers and other words in them from the left."""

from __future__ import annotations

import pytest

from docqa.ingest.formats import extract
from docqa.ingest.formats.pdf.right_to_left import in_reading_order
from tests.pdfs import by_hand

ALEF, BET, GIMEL, SHIN = "\u05d0", "\u05d1", "\u05d2", "\u05e9"


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        (GIMEL + BET + ALEF, ALEF + BET + GIMEL),
        (f"{SHIN} 12.5 {BET}{ALEF}", f"{ALEF}{BET} 12.5 {SHIN}"),
        (f"{SHIN} 34 12 {ALEF}", f"{ALEF} 12 34 {SHIN}"),
        (f"{SHIN * 9} Acme Ltd 7 {ALEF}", f"{ALEF} Acme Ltd 7 {SHIN * 9}"),
        (f"it is {BET}{ALEF} {SHIN}, of 9", f"it is {SHIN} {ALEF}{BET}, of 9"),
        (f".{BET}{ALEF} 3/4", f"3/4 {ALEF}{BET}."),
        ("no such letter: 12", "no such letter: 12"),
    ],
)
def test_what_is_shown_is_put_into_the_order_of_reading(shown: str, read: str) -> None:
    assert "".join(in_reading_order(list(shown), lambda char: char)) == read


def test_hebrew_is_read_from_the_right() -> None:
    """Fault: every word was spelled backwards."""
    codes = b"4 beginbfchar\n<61> <05d0>\n<62> <05d1>\n<63> <05d2>\n<20> <0020>\nendbfchar"
    font = (
        b"6 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 97 /LastChar 99 "
        b"/Widths [500 500 500] /ToUnicode 7 0 R >>\nendobj\n7 0 obj\n<< /Length %d >>\n"
        b"stream\n%b\nendstream\nendobj\n" % (len(codes), codes)
    )
    content = (
        b"BT /F2 12 Tf 100 700 Td (cb) Tj /F1 12 Tf ( 950 ) Tj /F2 12 Tf (cba) Tj "
        b"-40 -20 Td (bb) Tj 40 0 Td (a) Tj ET"
    )
    data = by_hand(content, more=font).replace(b"/F1 5 0 R", b"/F1 5 0 R /F2 6 0 R")
    assert extract("pdf", data).text == (f"{ALEF}{BET}{GIMEL} 950 {BET}{GIMEL}\n{ALEF}\t{BET}{BET}")
