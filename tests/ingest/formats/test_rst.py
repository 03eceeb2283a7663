"""reStructuredText as a reader of the page sees it, with the lines of the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.ingest.errors import IngestError
from docqa.ingest.formats import extract


def text(markup: str) -> str:
    return extract("rst", markup.encode()).text


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("It is *very* **old**, ``x = 1`` too.", "It is very old, x = 1 too."),
        ("See `the report <https://a.example/b>`_ now.", "See the report now."),
        ("See :ref:`the words <label>` and :func:`~os.path.join`.", "See the words and join."),
        ("a\n\n.. versionadded:: 3.2\n   The *thing*.", "a\n\nAdded in version 3.2\n\nThe thing."),
        ("a\n\n.. toctree::\n   :maxdepth: 2\n\n   b", "a"),
        (".. c:function:: int f(int a)\n\n   Does *it*.", "int f(int a)\n\nDoes it."),
        ("a::\n\n  x *y*\n\n   z", "a:\n\nx *y*\n\n z"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("Text [1]_ here.\n\n.. [1] Note.", "Text ¹ here.\n\n[1] Note."),
        (".. a comment\n\nb", "b"),
        ("=== ===\n A   B\n=== ===\n x   5\n=== ===", "A\tB\nx\t5"),
        (":Due: 3 May\n:Sum: 5", "Due: 3 May\nSum: 5"),
        ("10\\ :sup:`6` and H\\ :sub:`2`\\ O", "10⁶ and H₂O"),
        ("a\n\n.. include:: /etc/passwd\n\nb", "a\n\nb"),
        ("a\n\n.. raw:: html\n\n   <b>x</b>\n\nb", "a\n\nb"),
    ],
)
def test_the_text_is_what_a_reader_sees(markup: str, seen: str) -> None:
    assert text(markup) == seen


def test_title_and_outline() -> None:
    extracted = extract("rst", b"One\n===\n\ntext\n\nTwo\n---\n\nt\n\nThree\n~~~~~\n\nt\n")
    assert [(heading.text, heading.level) for heading in extracted.outline] == [
        ("One", 1),
        ("Two", 2),
        ("Three", 3),
    ]
    for heading in extracted.outline:
        assert extracted.text[heading.start :].startswith(heading.text)
    assert extracted.title == "One"


LINES = """
w2
==

w5 **w5**
w6 ``w6``.

w8
--

* w11
* w12
  w13

.. note:: w15
   w16

.. code-block:: python

   w20

   w22

.. versionadded:: w24
   w25

   w27 *w27*

w29
   w30

::

   w34
"""


def test_each_word_knows_its_line() -> None:
    extracted = extract("rst", LINES.encode())
    lines = LINES.split("\n")
    seen = set()
    for offset, line in extracted.lines:
        word = extracted.text[offset:].split()[0]
        if word.startswith("w"):
            assert word.strip(".") in lines[line - 1].split() or word in lines[line - 1]
            seen.add(line)
    assert seen >= {2, 5, 6, 8, 11, 12, 13, 16, 20, 22, 25, 27, 29, 30, 34}


@settings(deadline=None, max_examples=50)
@given(st.text("ab*_`[]<>=-|\n :.\\1", max_size=120))
def test_any_markup_is_read(markup: str) -> None:
    try:
        extracted = extract("rst", markup.encode())
    except IngestError:
        return
    assert all(1 <= line <= markup.count("\n") + 1 for _, line in extracted.lines)
