from __future__ import annotations

import pytest

from docqa.ingest.formats import extract


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
