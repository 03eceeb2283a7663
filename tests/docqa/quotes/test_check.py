"""Quotes looked for in an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docqa import DocQA, QuestionError
from docqa.cli import run
from docqa.quotes import check
from tests.conftest import LEASE, write_documents


@pytest.fixture(scope="module")
def qa(tmp_path_factory: pytest.TempPathFactory) -> DocQA:
    folder = tmp_path_factory.mktemp("quotes")
    documents = write_documents(folder / "documents")
    filler = "The quick brown fox jumps over the lazy dog. " * 60
    (documents / "long.txt").write_text(filler + "Zyx wvut srq. " + filler, encoding="utf-8")
    made = DocQA(folder / "index")
    made.index([documents])
    return made


def test_an_exact_quote_has_its_place(qa: DocQA) -> None:
    quote = '"The lease begins on 1 March 2019 and ends on 28 February 2024."'
    result = qa.check_quote(quote)
    assert (result.exact, result.complete) == (True, True)
    [place] = result.places
    assert Path(place.document).name == "lease.txt"
    assert LEASE[place.start : place.end] == place.text
    assert "begins\non" in place.text
    assert (place.similarity, place.difference, place.line) == (1.0, None, 3)


def test_a_quote_that_differs_in_a_word_is_shown_with_the_difference(qa: DocQA) -> None:
    result = qa.check_quote("Only the managing director may sign a contract.")
    assert not result.exact
    [place] = result.places
    assert place.text == "Only the managing director may\nsign a notice."
    assert place.difference == "Only the managing director may sign a [-contract-] {+notice+}."


def test_what_has_nothing_to_do_with_the_documents_has_no_place(qa: DocQA) -> None:
    result = qa.check_quote("Photosynthesis converts sunlight into sugar inside chloroplasts")
    assert (result.exact, result.places) == (False, [])


def test_a_quote_that_search_does_not_find_is_found_in_the_text(
    qa: DocQA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qa, "search", lambda quote, k: [])
    monkeypatch.setattr(check, "_STRETCH", 45 * 60 + 3)
    [place] = qa.check_quote("lazy dog. Zyx wvut srq. The quick").places
    assert place.start == 45 * 60 - len("lazy dog. ")
    assert place.text == "lazy dog. Zyx wvut srq. The quick"


def test_where_not_all_text_was_looked_through_the_result_says_so(
    qa: DocQA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_MOST_TEXT", 10)
    assert not qa.check_quote("The lease ends tomorrow.").complete


def test_no_more_places_than_wanted(qa: DocQA) -> None:
    assert len(qa.check_quote("brown fox", most_places=2).places) == 2
    with pytest.raises(ValueError, match="at least one place"):
        qa.check_quote("brown fox", most_places=0)


@pytest.mark.parametrize("quote", ["", "  ", '"..."', "a " * 3000, "a \udcff"])
def test_what_is_no_quote_is_refused(qa: DocQA, quote: str) -> None:
    with pytest.raises(QuestionError):
        qa.check_quote(quote)


def test_the_command_says_where_and_exits_with_1_where_nothing_is_exact(
    qa: DocQA, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--index", str(qa._opened.folder)]
    assert run(["quote", "Only the managing director may sign a notice.", *index]) == 0
    assert "lease.txt, line 6, characters" in capsys.readouterr().out
    assert run(["quote", "Only the tenant may sign a notice.", *index]) == 1
    shown = capsys.readouterr().out
    assert "[-tenant-] {+managing director+}" in " ".join(shown.split())
    assert run(["quote", "brown fox", "--json", *index]) == 0
    assert json.loads(capsys.readouterr().out)["exact"] is True
