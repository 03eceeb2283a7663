from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest.document import Document, LoadLimits


def make(text: str, starts: tuple[int, ...] = (), format: str = "text") -> Document:
    return Document("/a", format, text, starts, "", 0, 0)


@given(st.text("ab\r\n", max_size=30), st.data())
def test_lines_are_counted_as_an_editor_does(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    ends = [end.end() for end in re.finditer(r"\r\n|\r|\n", text)]
    assert make(text).line_at(offset) == 1 + sum(end <= offset for end in ends)


def test_only_formats_that_are_the_file_have_lines() -> None:
    assert make("a\nb", format="pdf").line_at(2) is None


def test_pages() -> None:
    document = make("ab\n\ncd", (0, 3, 4), "pdf")
    assert [document.page_at(at) for at in range(6)] == [
        (1, 0), (1, 0), (1, 0), (2, 3), (3, 4), (3, 4),
    ]  # fmt: skip
    assert make("ab").page_at(0) is None


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"memory_mb": 1}, {"max_file_mb": 0}, {"max_chars": 0}]
)
def test_senseless_limits_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not"):
        LoadLimits(**wrong)


def test_a_text_that_was_made_of_a_file_knows_the_files_lines() -> None:
    document = replace(make("one two three", format="markdown"), lines=((0, 3), (4, 4), (8, 9)))
    assert [document.line_at(offset) for offset in (0, 3, 4, 7, 8, 13)] == [3, 3, 4, 4, 9, 9]
