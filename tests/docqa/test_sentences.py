"""Sentences of text as it comes out of files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from docqa.sentences import sentence_bounds


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_bounds(text)]


def test_a_wrapped_line_is_no_end_and_an_abbreviation_is_none() -> None:
    text = (
        "The lease (see Sec. 4.2) begins on 1 Jan. 2019 and ends five years later, unless\n"
        "Dr. A. Smith or an heir of his ends it before. Notice is given in writing.\n"
    )
    assert sentences(text) == [text[: text.index(" Notice")], "Notice is given in writing."]


def test_items_rows_headings_and_short_lines_stand_alone() -> None:
    text = (
        "# Leaving\n"
        "To leave the company in good order takes the following steps, in this order:\n"
        "1. Tell your lead.\n"
        "2. Return the laptop. Keep the receipt.\n\n"
        "Item\tPrice\n"
        "Bolt\t3 EUR\n\n"
        "Due date: 3 May\n"
        "Issued: 1 April\n"
    )
    assert sentences(text) == [
        "# Leaving",
        "To leave the company in good order takes the following steps, in this order:",
        "1. Tell your lead.",
        "2. Return the laptop.",
        "Keep the receipt.",
        "Item\tPrice",
        "Bolt\t3 EUR",
        "Due date: 3 May",
        "Issued: 1 April",
    ]


@given(st.text(alphabet="aB. \n\t|-1\u00ad\u2022\u0301é😀", max_size=60))
def test_sentences_are_in_order_and_leave_out_white_space_alone(text: str) -> None:
    bounds = sentence_bounds(text)
    at = 0
    for start, end in bounds:
        assert text[at:start].strip() == ""
        assert start < end
        assert text[start:end].strip() == text[start:end]
        at = end
    assert text[at:].strip() == ""
