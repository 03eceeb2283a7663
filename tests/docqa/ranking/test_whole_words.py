"""Answers are widened to whole words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ranking.whole_words import whole_words


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("the variable BASH_XTRACEFD is", "TRACE", "BASH_XTRACEFD"),
        ("pays 1,250.50 euros", "250", "1,250.50"),
        ("in 1990, 2001 and", "1990", "1990"),
        ("from 1990\u20131995", "1990", "1990"),
        ("café au lait", "caf", "café"),
        ("(Paris)", "Paris", "Paris"),
        ("the tenant's rent", "tenant", "tenant"),
        ("東京都は日本", "京", "京"),
        ("서울에서 산다", "서울", "서울"),
        ("ภาษาไทย", "ษา", "ษา"),
        ("x" * 500, "x" * 7, "x" * 7),
        ("ends here", "her", "here"),
        ("a b", "a b", "a b"),
        ("stored in ./.docqa, where", "docqa", "./.docqa"),
        ("stored in ./.docqa, where", "/.docqa", "./.docqa"),
        ("give `--json` or", "json", "--json"),
        ("see ../shared/data", "shared", "../shared"),
        ("costs $5 or 20% of it", "5", "$5"),
        ("costs $5 or 20% of it", "20", "20%"),
        ("at (-5 degrees)", "5", "-5"),
        ("written in C++ and", "C", "C++"),
        ("C# is one", "C", "C#"),
        ("he said ...nothing", "nothing", "nothing"),
        ("pages 12-15 of", "15", "15"),
        ("rule ----- 7", "7", "7"),
        ("the end. Then", "end", "end"),
        ("more than 5.", "5", "5"),
        ("to bash-maintainers@gnu.org so", "@gnu.org", "bash-maintainers@gnu.org"),
        ("write to <a.b+c@lists.example.org>.", "b", "a.b+c@lists.example.org"),
        ("user@host, or", "user", "user"),
        ("@someone said", "someone", "@someone"),
    ],
)
def test_widens_to_words(text: str, cut: str, whole: str) -> None:
    start = text.index(cut)
    low, high = whole_words(text, start, start + len(cut))
    assert text[low:high] == whole


@given(st.text(max_size=300), st.data())
def test_never_narrows_nor_leaves_the_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    low, high = whole_words(text, start, end)
    assert 0 <= low <= start <= end <= high <= len(text)
    assert whole_words(text, low, high) == (low, high) or high - low > 64


def test_a_sign_at_the_end_of_the_line_before_is_no_part_of_a_word() -> None:
    """Fault: ``$`` also matches before a line's end, so the dash was glued to the answer."""
    for text in ("see -\nLondon", "costs $\n5", "a (./\nword"):
        start = text.index("\n") + 1
        assert whole_words(text, start, len(text)) == (start, len(text))
