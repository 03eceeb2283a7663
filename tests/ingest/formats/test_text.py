from __future__ import annotations

import pytest

from docqa.ingest.formats import extract
from docqa.ingest.reading_text import reading_text


@pytest.mark.parametrize("format", ["text", "markdown", "rst", "html"])
def test_ligatures_are_letters_in_all_formats(format: str) -> None:
    # They were mended in PDF only: "final" was never found.
    data = "The ﬁnal oﬃcer, ﻻ.".encode()
    assert extract(format, data).text == "The final officer, لا."


@pytest.mark.parametrize("format", ["markdown", "rst"])
def test_a_very_long_file_is_read_with_its_markup(format: str) -> None:
    data = b"*word* word\r\n" * 400_000
    extracted = extract(format, data)
    assert extracted.text == data.decode()
    assert "with its markup" in extracted.gaps[0]
    assert extracted.lines[100] == (1300, 101)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        # Only the halves could be found.
        ("The observa-\ntory was paid for.", "The observatory was paid for."),
        ("The observa-\r\n   tory was paid for.", "The observatory was paid for."),
        ("the Whit\u2010\nlock fund", "the Whitlock fund"),
        ("short-\nened, high-\nly", "shortened, highly"),
        ("a well-\nknown, long-\nterm lease", "a well-\nknown, long-\nterm lease"),
        ("self-\nemployed; X-\nray; state-of-the-\nart", None),
        ("Sir Edmund Fitzalan-\nHarcourt", None),
        ("co-\noperation and co-operation", None),
        ("1990-\n1995; option --no-\nverify; a -\nb", None),
    ],
)
def test_a_word_that_a_line_end_cuts_is_read_whole(text: str, read: str | None) -> None:
    extracted = extract("text", text.encode()).text
    assert len(extracted) == len(text)
    assert reading_text(extracted) == (text if read is None else read)
