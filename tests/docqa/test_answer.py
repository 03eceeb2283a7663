"""Answers: the source's own words, their page, line and sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from docqa.answer import Answer
from docqa.ingest.document import Document, Heading


def document(text: str, pages: tuple[int, ...] = (), format_: str = "text") -> Document:
    return Document("/d/x", format_, text, pages, "", 0, 0)


def answer(text: str, words: str, pages: tuple[int, ...] = (), format_: str = "text") -> Answer:
    start = text.index(words)
    return Answer.from_span(
        document(text, pages, format_), start, start + len(words), (0, len(text)), 1.0, 0.5
    )


@given(st.text(max_size=900), st.data())
def test_text_and_context_are_slices_of_the_document(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = Answer.from_span(document(text), start, end, (0, len(text)), 0.0, 0.0)
    assert found.text == text[start:end]
    assert found.context in text
    assert found.context[found.context_start : found.context_end] == found.text


def test_the_context_is_the_sentence() -> None:
    text = "It rained all day. Ada Lovelace wrote the first program (in 1843). Nobody ran it."
    found = answer(text, "1843")
    assert found.context == "Ada Lovelace wrote the first program (in 1843)."


def test_a_blank_line_ends_a_sentence() -> None:
    assert answer("A heading\n\nthe answer is here\n\nmore", "answer").context == (
        "the answer is here"
    )


def test_an_answer_of_two_sentences_has_both_around_it() -> None:
    text = "Before. One is here. Two is there. After."
    assert answer(text, "here. Two is").context == "One is here. Two is there."


def test_a_context_without_sentences_is_cut_at_words() -> None:
    text = "word " * 500 + "needle " + "word " * 500
    found = answer(text, "needle")
    assert len(found.context) < 650
    assert set(found.context.split()) == {"word", "needle"}


def test_page_and_offsets_in_it() -> None:
    found = answer("page one\npage two", "two", pages=(0, 9), format_="pdf")
    assert (found.page, found.page_start, found.page_end, found.line) == (2, 5, 8, None)


def test_lines_in_text_formats_only() -> None:
    assert answer("a\nb\nc", "c").line == 3
    assert answer("a\nb\nc", "c", format_="html").line is None
    assert answer("a\nb\nc", "c").page is None


def test_columns_where_the_text_is_the_file() -> None:
    found = answer("a\r\nb c\rd", "c")
    assert (found.line, found.column) == (2, 3)
    assert (answer("ab", "b").column, answer("a\rd", "d").column) == (2, 1)
    assert answer("a b", "b", format_="html").column is None


class OnlyNearby:
    """A source that can't be read whole, as a document of an index."""

    path, format, title, outline = "/d/x", "text", "Lease", (Heading("1 Rent", 1, 0),)
    page_starts = ()

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)
        self.seen: list[int] = []

    def slice(self, start: int, end: int) -> str:
        self.seen.append(end - start)
        return self.text[start:end]

    def page_at(self, offset: int) -> None:
        return None

    def line_at(self, offset: int) -> int:
        return 1

    def column_at(self, offset: int) -> int:
        return offset + 1


def test_no_more_of_a_document_is_looked_at_than_what_is_around_an_answer() -> None:
    """Fault: each answer read the whole text of its document, 62 ms at 20 million characters."""
    text = "word " * 5000 + "The rent is 1,250 euros. " + "word " * 5000
    start = text.index("1,250")
    source = OnlyNearby(text)
    found = Answer.from_span(source, start, start + 5, (0, 9), 1.0, 0.5)
    whole = Answer.from_span(document(text), start, start + 5, (0, 9), 1.0, 0.5)
    assert (found.text, found.context) == (whole.text, whole.context) == ("1,250", found.context)
    assert found.context[found.context_start : found.context_end] == "1,250"
    assert max(source.seen) < 1000
    assert (found.title, found.heading_path) == ("Lease", ("1 Rent",))
    assert found.to_dict()["heading_path"] == ("1 Rent",)
