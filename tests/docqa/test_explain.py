"""Explanations: their numbers, the diagnosis of wrong answers, and the three forms they take."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import lxml.html
import numpy as np
import pytest
import torch
from rich.console import Console

from docqa import AnswerSettings, DocQA, Reader
from docqa.choose import Passage, Reading, choose
from docqa.cli import run
from docqa.evaluate.metrics import exact_match
from docqa.explain.diagnose import Gold, diagnose, occurrences
from docqa.explain.explanation import Explanation, explain
from docqa.explain.html import page, write_html
from docqa.explain.picture import write_picture
from docqa.explain.pieces import pieces
from docqa.explain.run import explain_document, explain_index
from docqa.explain.terminal import show
from docqa.read import text_document
from docqa.spans import Logits, Place
from ingest.document import Document
from ingest.windows import Window
from tests.conftest import LEASE, ROCKET

PLAIN = AnswerSettings(prior_weight=0.0)


def made(
    texts: Sequence[str],
    likely: Sequence[dict[str, float]],
    *,
    priors: Sequence[float] | None = None,
    nulls: Sequence[float] | None = None,
    path: str = "/d/{}.txt",
) -> Reading:
    """A reading of documents of one window each, with the logits of its tokens as wished.

    Tokens are runs of letters and single signs. ``likely`` names tokens of each window with the
    start and end logit that they have; all others have -5.
    """
    documents = [
        Document(path.format(n), "text", text, (), "", 0, 0) for n, text in enumerate(texts)
    ]
    offsets = [
        np.array([m.span() for m in re.finditer(r"[^\W_]+|\S", text)], np.int32) for text in texts
    ]
    width = max(map(len, offsets))
    allowed = torch.zeros(len(texts), width, dtype=torch.bool)
    start = torch.full((len(texts), width), -5.0)
    for w, at in enumerate(offsets):
        allowed[w, : len(at)] = True
        for i, (low, high) in enumerate(at.tolist()):
            start[w, i] = likely[w].get(texts[w][low:high], -5.0)
    null = torch.tensor([0.0] * len(texts) if nulls is None else list(nulls)) / 2
    passages = [
        Passage(
            n, Window(0, len(text), np.zeros(len(at), np.int32), at), 0.0 if not priors else p, text
        )
        for n, (text, at, p) in enumerate(
            zip(texts, offsets, priors or [0.0] * len(texts), strict=True)
        )
    ]
    return Reading(
        "Who?", passages, Logits(start, start.clone(), allowed, null, null), documents.__getitem__
    )


TEXTS = ["Ada wrote the first program.", "Grace found a moth in 1947."]


# -- the numbers -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tiny_reader: Path) -> Explanation:
    """A text of many windows, all of them explained."""
    reader = Reader(str(tiny_reader), settings=AnswerSettings(max_answer_tokens=5))
    return explain_document(
        reader, "Who may sign the lease?", text_document(LEASE + ROCKET), windows=99, top_k=2
    )


def test_probabilities_of_all_tokens_and_cls_add_up_to_one(tiny: Explanation) -> None:
    assert tiny.windows_read == len(tiny.windows) > 1
    for total in (
        sum(t.start_probability for w in tiny.windows for t in w.tokens)
        + sum(w.null_start_probability for w in tiny.windows),
        sum(t.end_probability for w in tiny.windows for t in w.tokens)
        + sum(w.null_end_probability for w in tiny.windows),
    ):
        assert total == pytest.approx(1, abs=1e-4)


def test_a_span_s_confidence_is_the_product_of_its_tokens(tiny: Explanation) -> None:
    for window in tiny.windows:
        for span in window.spans:
            first, last = window.tokens[span.first], window.tokens[span.last]
            product = first.start_probability * last.end_probability
            assert span.confidence == pytest.approx(product)
            assert span.score == pytest.approx(span.start_logit + span.end_logit, abs=1e-5)
            assert span.ranking == pytest.approx(span.score + span.prior + span.null)


def test_the_best_span_is_the_first_answer(tiny: Explanation) -> None:
    best, answer = tiny.windows[0].best, tiny.answers[0]
    assert (best.start, best.end, best.text) == (answer.start, answer.end, answer.text)
    assert best.score == pytest.approx(answer.score)
    assert best.confidence == pytest.approx(answer.confidence, rel=1e-4)
    assert best.answer == 1
    rankings = [window.best.ranking for window in tiny.windows]
    assert rankings == sorted(rankings, reverse=True)


def test_pieces_are_the_window_s_text(tiny: Explanation) -> None:
    for window in tiny.windows:
        parts = list(pieces(window))
        assert "".join(part.text for part in parts) == window.text
        marked = "".join(part.text for part in parts if part.span == 1)
        assert marked == window.best.text


def test_a_character_that_is_several_tokens_has_the_sum_of_their_probabilities() -> None:
    window = explain(made(["Ada wrote"], [{"Ada": 4.0}]), PLAIN, top_k=1).windows[0]
    ada, wrote = window.tokens
    shared = replace(window, tokens=(ada, replace(wrote, start=0, end=3), wrote))
    first, *rest = pieces(shared)
    assert (first.text, len(first.tokens)) == ("Ada", 2)
    assert first.start_probability == ada.start_probability + wrote.start_probability
    assert [(part.text, len(part.tokens)) for part in rest] == [(" ", 0), ("wrote", 1)]


def test_answers_are_those_of_asking_and_are_widened_to_words() -> None:
    reading = made(["Set BASH_XTRACEFD to a number."], [{"XTRACEFD": 4.0, "number": 3.0}])
    explanation = explain(reading, PLAIN, top_k=2)
    assert list(explanation.answers) == choose(reading, PLAIN, 2)
    best = explanation.windows[0].best
    assert best.text == "BASH_XTRACEFD"
    tokens = explanation.windows[0].tokens
    assert tokens[best.first].text == tokens[best.last].text == "XTRACEFD"
    marked = [part.text for part in pieces(explanation.windows[0]) if part.span == 1]
    assert marked == ["BASH", "_", "XTRACEFD"]
    assert [span.text for span in explanation.windows[0].spans] == ["BASH_XTRACEFD", "number"]


def test_a_span_that_lost_against_an_answer_it_overlaps_says_so() -> None:
    one = made(["Ada wrote it.", "Ada wrote it"], [{"Ada": 4.0}, {"Ada": 3.0}])
    of_one_document = [Passage(0, passage.window, 0.0, passage.text) for passage in one.passages]
    reading = Reading("Who?", of_one_document, one.logits, one.document)
    windows = explain(reading, PLAIN, top_k=1).windows
    assert [(w.best.answer, w.best.overlaps) for w in windows] == [(1, None), (None, 1)]


def test_wrong_numbers_are_refused() -> None:
    reading = made(TEXTS, [{}, {}])
    for arguments in ({"windows": 0}, {"top_k": 0}, {"expected": " "}):
        with pytest.raises(ValueError, match=r"at least|empty"):
            explain(reading, PLAIN, **arguments)


# -- the diagnosis ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "verdict", "said"),
    [
        ("ada", "right", "first answer"),
        ("wrote the\n first", "span", "The right window won, but another place in it"),
        ("Ada WROTE", "span", "but the span was cut otherwise"),
        ("1947", "window", "“1947” was read in line 1 and ranks at 2.00"),
        ("Tim", "retrieval", "“Tim” is in none of the 2 windows read, and that is the whole file"),
        ("194", "retrieval", "none of the 2 windows"),
    ],
)
def test_a_wrong_answer_is_retrieval_s_or_the_window_s_or_the_span_s(
    expected: str, verdict: str, said: str
) -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {"1947": 1.0}])
    explanation = explain(reading, PLAIN, windows=1, expected=expected)
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == verdict
    assert explanation.sentence is not None
    assert said in explanation.sentence
    shown = [window.document for window in explanation.windows]
    assert shown == ["/d/0.txt"] + ["/d/1.txt"] * (verdict == "window"), "and the one it is in"


def test_a_window_that_won_by_its_prior_is_told_from_one_that_the_reader_preferred() -> None:
    likely: list[dict[str, float]] = [{"Ada": 1.0}, {"1947": 2.0}]
    by_prior = made(TEXTS, likely, priors=[2.0, -2.0])
    explanation = explain(by_prior, AnswerSettings(prior_weight=1.5), expected="1947")
    assert explanation.sentence == (
        "Another window won: “1947” was read in line 1 and ranks at 1.00 (score 4.00 - prior "
        "3.00), but “Ada” in line 1 ranks at 5.00 (score 2.00 + prior 3.00); by its score alone it "
        "would have come before that."
    )
    by_null = made(TEXTS, likely, nulls=[-3.0, 3.0])
    explanation = explain(by_null, AnswerSettings(prior_weight=0.0, null_weight=1), expected="1947")
    assert "(score 4.00 - null 3.00)" in (explanation.sentence or "")
    assert "(score 2.00 + null 3.00)" in (explanation.sentence or "")


def test_a_window_that_won_with_a_part_of_the_answer_is_told_apart() -> None:
    one = made(["Ada Lovelace wrote", "Ada Lovelace"], [{"Ada": 1.0, "Lovelace": 2.0}, {}])
    window = one.passages[0].window
    cut = Window(4, 18, window.token_ids[1:], window.token_offsets[1:] - 4)
    logits = one.logits
    of_cut = torch.tensor([[4.0, -5.0, -5.0]])
    reading = Reading(
        "Who?",
        [one.passages[0], Passage(0, cut, 0.0, one.passages[0].text[cut.start : cut.end])],
        Logits(
            torch.cat([logits.start[:1], of_cut]),
            torch.cat([logits.end[:1], of_cut]),
            torch.tensor([[True, True, True], [True, True, False]]),
            logits.null_start,
            logits.null_end,
        ),
        one.document,
    )
    explanation = explain(reading, PLAIN, expected="Ada Lovelace")
    assert "Another window won, which holds only a part of it" in (explanation.sentence or "")
    assert "in its own window “Lovelace” comes first" in (explanation.sentence or "")


def test_an_expected_answer_that_is_too_long_is_said_to_be() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {}])
    settings = AnswerSettings(prior_weight=0.0, max_answer_tokens=2)
    explanation = explain(reading, settings, expected="Ada wrote the first program")
    assert "it has 5 tokens, and an answer at most 2" in (explanation.sentence or "")


def test_the_null_score_may_be_to_blame() -> None:
    reading = made(TEXTS, [{"Ada": 1.0}, {}], nulls=[6.0, 7.0])
    held_back = AnswerSettings(prior_weight=0.0, null_threshold=3.0)
    explanation = explain(reading, held_back, expected="Ada")
    assert explanation.answers == ()
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == "null"
    assert explanation.diagnosis.null_margin == 4.0
    assert "No answer was given, the lowest null score is 4.00 above" in explanation.sentence
    assert explain(reading, held_back, expected="Tim").diagnosis.verdict == "retrieval"
    assert diagnose(reading, held_back, []).verdict == "right", "there is none, none was given"
    assert diagnose(reading, PLAIN, []).verdict == "null", "there is none, one was given"


def test_expected_answers_may_have_places_and_a_measure_of_their_own() -> None:
    reading = made(["Ada met Grace.", "Grace met Ada."], [{"Ada": 4.0}, {"Grace": 1.0}])

    def verdict(*golds: Gold, **arguments: Any) -> str:
        return diagnose(reading, PLAIN, golds, **arguments).verdict

    assert verdict(Gold("Grace")) == "span", "the window that won holds it, too"
    assert verdict(Gold("Grace", Place(1, 0, 5))) == "window"
    assert verdict(Gold("Grace", Place(0, 8, 13))) == "span"
    assert verdict(Gold("Grace", Place(0, 8, 99))) == "retrieval", "no window holds all of it"
    assert verdict(Gold("Grace", Place(7, 0, 5))) == "retrieval"
    assert verdict(Gold("Tim"), Gold("Ada")) == "right", "any of them"
    assert verdict(Gold("the Ada!", Place(0, 0, 3))) == "span"
    assert verdict(Gold("the Ada!"), same=lambda a, b: exact_match(a, b) == 1) == "right"


def test_a_text_is_found_whatever_its_capitals_and_blanks_but_never_inside_a_word() -> None:
    text = "It costs 1,250 Euros a\n  month, 250 euros  A month in 2030."
    assert [text[a:b] for a, b in occurrences(text, " euros a MONTH ")] == [
        "Euros a\n  month",
        "euros  A month",
    ]
    assert [a for a, _ in occurrences(text, "250")] == [text.rindex("250")]
    assert list(occurrences(text, "30")) == []
    assert list(occurrences(text, ".*")) == []


def test_nothing_read_is_explained_too() -> None:
    empty = torch.zeros(0, 0)
    logits = Logits(empty, empty, empty.bool(), torch.zeros(0), torch.zeros(0))
    reading = Reading("Who?", [], logits, {}.__getitem__)
    explanation = explain(reading, PLAIN, hits=[], expected="Ada")
    assert (explanation.answers, explanation.windows) == ((), ())
    assert explanation.diagnosis is not None
    assert explanation.diagnosis.verdict == "retrieval"
    assert "No window was read" in printed(explanation)


# -- an index --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    documents = folder / "documents"
    documents.mkdir()
    (documents / "lease.txt").write_text(LEASE, encoding="utf-8")
    (documents / "rocket.md").write_text(ROCKET, encoding="utf-8")
    DocQA(folder / "index").index([documents])
    return folder / "index"


def test_what_retrieval_missed_is_searched_wider(index: Path) -> None:
    qa = DocQA(index)

    def explained(expected: str) -> Explanation:
        return explain_index(qa, "Who is the landlord?", candidates=1, expected=expected)

    missed = explained("seventeen ROCKETS")
    assert missed.diagnosis is not None
    assert missed.diagnosis.wider is not None
    assert (missed.diagnosis.wider.windows, missed.diagnosis.wider.rank) == (2, 2)
    assert missed.sentence == (
        "Retrieval missed it: “seventeen ROCKETS” is not in the one window read, but in "
        "number 2 of a wider search (--candidates 2 lets the reader see it)."
    )
    assert "in none of the 2 windows of a wider search" in (explained("Tim").sentence or "")
    right = explained("Margaret Holloway")
    assert right.sentence == "Right: “Margaret Holloway” is the first answer."


def test_windows_that_were_read_in_parts_have_their_hit_s_rank(
    index: Path, tiny_reader: Path
) -> None:
    qa = DocQA(index, reader=str(tiny_reader))
    explanation = explain_index(qa, "Who?", windows=99)
    hits = qa.search("Who?", 10)
    assert explanation.windows_read > len(hits) == 2
    for window in explanation.windows:
        assert window.retrieved is not None
        hit = hits[window.retrieved.rank - 1]
        assert hit.document == window.document
        assert hit.start <= window.start < window.end <= hit.end
        assert window.retrieved.score == hit.score


# -- the forms -------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script> \x1b[2J\x1b]0;owned\x07 \u202egnp.exe $\\frac{ & </style> "
    '<img src="http://evil.example/x"> Ada\xa0wrote 漢字 [bold]it[/bold].\r\n'
)


@pytest.fixture(scope="module")
def hostile() -> Explanation:
    reading = made(
        [HOSTILE, HOSTILE],
        [{"script": 4.0, "漢字": 3.0}, {"x1b": 1.0}],
        path="/d/<b>\x1b[31m{}.txt",
    )
    question = "<script>Who?</script> \x1b[2J $\\frac{"
    reading = Reading(question, reading.passages, reading.logits, reading.document)
    return explain(reading, PLAIN, expected="<script>alert(1)</script> \x1b[2J")


def printed(explanation: Explanation, **arguments: Any) -> str:
    stream = io.StringIO()
    show(explanation, Console(file=stream, width=100, highlight=False, **arguments))
    return stream.getvalue()


def test_documents_can_t_steer_the_terminal(hostile: Explanation) -> None:
    for colours in (True, False):
        shown = printed(
            hostile, force_terminal=colours, color_system="truecolor" if colours else None
        )
        codes = re.findall(r"\x1b.[^a-zA-Z]*[a-zA-Z]", shown)
        assert all(code.endswith("m") and code[1] == "[" for code in codes)
        assert bool(codes) == colours
        assert "\x07" not in shown
        assert "\u202e" not in shown
        assert "[bold]it[/bold]" in shown


def test_the_terminal_s_form_is_clear_without_colours() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {"1947": 3.0, "moth": 1.0}])
    shown = printed(explain(reading, PLAIN, top_k=2, expected="1947"))
    assert "«1 Ada»" in shown
    assert "Grace found a «2 moth» in «1 \u20391947\u203a»." in shown
    assert "likeliest starts: Ada" in shown
    assert "Window 2 of 2" in shown
    assert "Another window won" in shown


def test_html_is_whole_and_fetches_nothing_and_runs_nothing(
    hostile: Explanation, tmp_path: Path
) -> None:
    write_html(hostile, tmp_path / "page.html")
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    tree = lxml.html.document_fromstring(source)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "a", "form"})
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert attributes <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "style", "title", "dir",
    }  # fmt: skip
    [style] = tree.xpath("//style/text()")
    assert not re.search(r"url|import|http|<", style)
    [policy] = tree.xpath("//meta[@http-equiv]/@content")
    assert "default-src 'none'" in policy
    for number in tree.xpath("//sup"):
        number.drop_tree()
    assert "<script>alert(1)</script>" in tree.find_class("text")[0].text_content()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", source)


def test_html_shows_every_token_with_its_numbers(tiny: Explanation) -> None:
    tree = lxml.html.document_fromstring(page(tiny))
    tokens = tree.xpath("//div[@class='text']//span[@title]")
    assert len(tokens) >= sum(t.start < t.end for w in tiny.windows for t in w.tokens)
    assert all(re.match(r"start .*%.* \(-?\d", token.get("title")) for token in tokens)
    assert len(tree.find_class("best")) == len(tiny.windows) + 1, "and one in the legend"


def test_the_picture_is_a_png(hostile: Explanation, tmp_path: Path) -> None:
    write_picture(hostile, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_no_file_is_left_where_writing_fails(
    hostile: Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    def torn(self: Figure, file: Path, **_: Any) -> None:
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", torn)
    with pytest.raises(OSError, match="disk full"):
        write_picture(hostile, tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


def strict_json(text: str) -> dict[str, Any]:
    """JSON as the standard has it: without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def test_json_holds_everything() -> None:
    reading = made(TEXTS, [{"Ada": 4.0}, {}], nulls=[-inf, -inf])
    value = strict_json(json.dumps(explain(reading, PLAIN, expected="1947").to_dict()))
    assert value.keys() == {
        "question", "settings", "answers", "windows_read", "null_score", "windows", "diagnosis",
        "retrieved", "sentence",
    }  # fmt: skip
    assert value["settings"]["null_threshold"] is None
    assert value["null_score"] is None
    assert value["diagnosis"]["verdict"] == "window"
    assert value["windows"][0]["tokens"][0]["text"] == "Ada"
    assert value["windows"][0]["spans"][0]["answer"] == 1


# -- the command -----------------------------------------------------------------------------


def test_explain_of_an_index_in_json(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = "Who is the landlord?"
    assert run(["explain", question, "--index", str(index), "--json"]) == 0
    value = strict_json(capsys.readouterr().out)
    assert run(["ask", question, "--index", str(index), "--json"]) == 0
    assert value["answers"] == json.loads(capsys.readouterr().out)["answers"]
    assert value["windows"][0]["retrieved"]["rank"] == 1
    assert value["diagnosis"] is None


def test_explain_of_a_file_in_all_forms(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_file, picture = tmp_path / "page.html", tmp_path / "picture.png"
    written = ["--html", str(page_file), "--png", str(picture)]
    question = ["Who designed the rocket?", str(documents / "rocket.md")]
    code = run(["explain", *question, "--expected", "jean-luc ferrand", *written])
    captured = capsys.readouterr()
    assert code == 0
    assert "Right: “jean-luc ferrand” is the first answer." in captured.out
    assert "«1 \u2039Jean-Luc Ferrand\u203a»" in captured.out
    assert captured.err.count("wrote ") == 2
    assert "Jean" in page_file.read_text(encoding="utf-8")
    assert picture.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["x.txt", "--candidates", "5"], 2, "--candidates has no meaning with a FILE"),
        (["--overlap", "5"], 2, "--overlap has no meaning without a FILE"),
        (["--index", "nowhere"], 3, "make one with: docqa index"),
        (["nowhere.pdf"], 1, "no such file"),
        (["x.txt", "--expected", ""], 2, "expected answer is empty"),
        (["x.txt", "--html", "no/such/folder/x.html"], 1, "No such file"),
    ],
)
def test_errors_say_what_to_do(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("The tenant signs.")
    assert run(["explain", "Who signs?", *arguments]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_without_matplotlib_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run(["explain", "Who?", "x.txt", "--png", "x.png"]) == 2
    assert "pip install 'docqa[train]'" in capsys.readouterr().err
