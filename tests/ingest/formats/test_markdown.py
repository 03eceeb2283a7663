"""Markdown as a reader of the page sees it, with the lines of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import extract


def text(markup: str) -> str:
    return extract("markdown", markup.encode()).text


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        # Marks of emphasis, addresses of links and tags stood inside of answers.
        ("It is **very** *old*, `x = 1` too.", "It is very old, x = 1 too."),
        (
            "See the [annual *report*](https://a.example/b?c=(d)) of 2020.",
            "See the annual report of 2020.",
        ),
        ("See [it][r].\n\n[r]: https://a.example", "See it."),
        ("See <https://a.example/b>.", "See https://a.example/b."),
        ("one<br>two <span class='x'>three</span><!-- no -->", "one\ntwo three"),
        ("It costs ~~4~~ 5 euros and 10<sup>6</sup> more.", "It costs 5 euros and 10⁶ more."),
        ("a \\* b &amp; c &euro;", "a * b & c €"),
        ("one\ntwo  \nthree\\\nfour", "one two\nthree\nfour"),
        ("3. a\n4. b\n\n- c\n- d", "3. a\n4. b\n\nc\nd"),
        ("![alt](a.png)text", "text"),
        ("```\n# no *heading*\n\n  x\n```", "# no *heading*\n\n  x"),
        ("| A | B |\n|---|---|\n| x | **5** m |", "A\tB\nx\t5 m"),
        ("> quoted\n> text", "quoted text"),
        ("A fact.[^1]\n\n[^1]: The *source*.", "A fact. ¹\n\n¹ The source."),
        ("<div>\n<p>raw <del>no</del></p>\n</div>\n\nend", "raw\n\nend"),
        ("---\ntitle: A\nauthor: Bo\n---\nText", "title: A\nauthor: Bo\n\nText"),
    ],
)
def test_the_text_is_what_a_reader_sees(markup: str, seen: str) -> None:
    assert text(markup) == seen


def test_title_and_outline() -> None:
    extracted = extract("markdown", b"# One *x*\n\ntext\n\nTwo\n---\n\n### Three #\n")
    assert [(heading.text, heading.level) for heading in extracted.outline] == [
        ("One x", 1),
        ("Two", 2),
        ("Three", 3),
    ]
    for heading in extracted.outline:
        assert extracted.text[heading.start :].startswith(heading.text)
    assert extracted.title == "One x"
    assert extract("markdown", b'---\ntitle: "Mine"\n---\n# Other').title == "Mine"


LINES = """---
title: w1
---

# w5 x

w7 **w7** `w7
w8` [w8](a
b) w9
<div>
w11 <b
class=x>w12</b>
</div>

* w15
  w16

  w18

| w20 | w20 |
|--|--|
| w22 | w22 |

```
w25

w27
```

> w30\\
> w31

    w33
    w34
w35
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_word_knows_its_line(end: str) -> None:
    lines = LINES.replace("w9\n<div>", "w9\n\n<div>").split("\n")
    markup = end.join(lines)
    extracted = extract("markdown", markup.encode())
    for offset, line in extracted.lines:
        word = extracted.text[offset:].split()[0]
        assert word in lines[line - 1]
    found = dict(extracted.lines)
    assert len(found) == len(extracted.lines)
    assert sorted(found) == list(found)


def test_lines_hold_in_pieces_of_a_long_file() -> None:
    markup = "".join(f"## Section {n}\n\ntext *number* {n} [r]\n\n" for n in range(9000))
    markup += "\n[r]: https://a.example\n"
    extracted = extract("markdown", markup.encode())
    lines = markup.split("\n")
    assert "[r]" not in extracted.text
    assert len(extracted.outline) == 9000
    for offset, line in extracted.lines[::97]:
        assert extracted.text[offset:].split("\n")[0].split(" number")[0] in lines[
            line - 1
        ].replace("## ", "").replace("*", "")


def test_a_long_paragraph_of_brackets_takes_no_longer_than_another() -> None:
    assert len(text("[" * 200_000)) == 200_000


def test_a_page_of_nothing_seen_is_refused() -> None:
    with pytest.raises(IngestError, match="no text"):
        extract("markdown", b"<!-- nothing -->\n")


@given(st.text("ab*_`[]()<>#-|\n \\!^:~&\t1.>=", max_size=200))
def test_any_markup_is_read(markup: str) -> None:
    try:
        extracted = extract("markdown", markup.encode())
    except IngestError:
        return
    assert all(1 <= line <= markup.count("\n") + 1 for _, line in extracted.lines)
    assert all(0 <= offset < len(extracted.text) for offset, _ in extracted.lines)
