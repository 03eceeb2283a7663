"""What comes nearest to a quote, and how the difference is marked."""

from __future__ import annotations

import pytest

from docqa.quotes.comparable import Comparable
from docqa.quotes.nearest import find_nearest

DOCUMENT = (
    "Whereas the parties agree. The rent is 1,250 euros a month, payable in advance. It is paid on "
    "the third work-\ning day of each month. Nothing else is due."
)


@pytest.mark.parametrize(
    ("quote", "own", "difference"),
    [
        (
            "The rent is 1,200 euros a month",
            "The rent is 1,250 euros a month",
            "The rent is [-1,200-] {+1,250+} euros a month",
        ),
        (
            "the rent is 1,250 euros a month.",
            "The rent is 1,250 euros a month,",
            "[-the-] {+The+} rent is 1,250 euros a month[-.-] {+,+}",
        ),
        (
            "It is paid on the working day of each month",
            "It is paid on the third work-\ning day of each month",
            "It is paid on the {+third+} working day of each month",
        ),
        (
            "Nothing else is ever due.",
            "Nothing else is due.",
            "Nothing else is [-ever-] due.",
        ),
    ],
)
def test_only_what_differs_is_marked(quote: str, own: str, difference: str) -> None:
    near = find_nearest(Comparable.of(quote), Comparable.of(DOCUMENT))
    assert near is not None
    assert DOCUMENT[near.start : near.end] == own
    assert near.difference == difference
    assert 0.7 < near.similarity < 1


@pytest.mark.parametrize("document", ["", "   ", "Nothing of the kind."])
def test_a_text_without_a_common_word_has_nothing_near(document: str) -> None:
    assert find_nearest(Comparable.of("seventeen rockets"), Comparable.of(document)) is None


def test_scripts_without_blanks_are_compared_by_their_letters() -> None:
    near = find_nearest(Comparable.of("租金每年支付"), Comparable.of("本合同租金每月支付。"))
    assert near is not None
    assert near.difference == "租金每[-年-] {+月+}支付"
