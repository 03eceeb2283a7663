# ruff: noqa: RUF001 (signs are the point)
"""The form in which quotes are compared, and the places that it keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.quotes.comparable import CUT, Comparable, exact_pattern


def found(quote: str, document: str) -> str | None:
    """The document's own words for a quote; None where they are not there."""
    text = Comparable.of(document)
    match = exact_pattern(Comparable.of(quote).text).search(text.text)
    if match is None:
        return None
    start, end = text.in_source(*match.span())
    return document[start:end]


@pytest.mark.parametrize(
    ("quote", "document", "own"),
    [
        ("the rent is due", "Then the rent\n  is\u00a0due.", "the rent\n  is\u00a0due"),
        ('the "Lessor" signs', "the “Lessor” signs", "the “Lessor” signs"),
        ("the tenant's dog", "the tenant’s dog", "the tenant’s dog"),
        ("pages 3-5", "pages 3–5", "pages 3–5"),
        ("pages 3-5", "pages 3-\n5", "pages 3-\n5"),
        ("an observatory stood", "an obser-\nvatory stood", "an obser-\nvatory stood"),
        ("a well-known name", "a well-\n known name", "a well-\n known name"),
        ("an observatory", "an obser\u00ad\nvatory", "an obser\u00ad\nvatory"),
        ("an observatory", "an observa\u00adtory", "an observa\u00adtory"),
        ("an obser-\nvatory", "an observatory", "an observatory"),
        ("find the office", "ﬁnd the oﬃce", "ﬁnd the oﬃce"),
        ("so on... and", "so on… and", "so on… and"),
        ("the café", "the cafe\u0301", "the cafe\u0301"),
        ("state-of-the-art", "state-of-\nthe-\nart", "state-of-\nthe-\nart"),
        ("租金每月支付", "本合同租金每月支付。", "租金每月支付"),
    ],
)  # fmt: skip
def test_words_written_in_another_way_are_found(quote: str, document: str, own: str) -> None:
    assert found(quote, document) == own


@pytest.mark.parametrize(
    ("quote", "document"),
    [
        ("the rent", "The rent"),
        ("rent is due", "parent is due"),
        ("rent is du", "rent is due"),
        ("1250", "1,250"),
        ("recover it", "re-cover it"),
        ("re-cover it", "recover it"),
        ("may sign", "may not sign"),
    ],
)
def test_other_words_are_not_found(quote: str, document: str) -> None:
    assert found(quote, document) is None


@given(st.text("ab-\n\u00ad '“…ﬁe\u0301", max_size=40))
def test_each_part_comes_from_its_own_place(source: str) -> None:
    text = Comparable.of(source)
    for start in range(len(text.text)):
        for end in range(start + 1, len(text.text) + 1):
            low, high = text.in_source(start, end)
            assert 0 <= low <= high <= len(source)
    if text.text:
        low, high = text.in_source(0, len(text.text))
        assert Comparable.of(source[low:high]).text.strip(f" {CUT}") == text.text.strip(f" {CUT}")
