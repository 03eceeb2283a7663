"""EM and F1 on cases worked out by hand from the description of SQuAD's measures."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from docqa.errors import DataError
from docqa.evaluate.metrics import best_over, exact_match, f1, normalize
from docqa.evaluate.squad import load_squad, sample


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("a theatre, an atom", "theatre atom"),  # only whole words are articles
        ("U.S.A.", "usa"),
        ("co-operate", "cooperate"),
        ("the", ""),
        ("Größe\n2", "größe 2"),
    ],
)
def test_normalisation(raw: str, normal: str) -> None:
    assert normalize(raw) == normal


@pytest.mark.parametrize(
    ("prediction", "gold", "em", "f"),
    [
        ("Denver Broncos", "the Denver Broncos", 1.0, 1.0),
        ("Broncos", "Denver Broncos", 0.0, 2 / 3),  # precision 1, recall 1/2
        ("in March 1912", "March 1912", 0.0, 0.8),  # precision 2/3, recall 1
        ("yes yes no", "yes no no", 0.0, 2 / 3),  # words count as often as they stand there
        ("cat", "dog", 0.0, 0.0),
        ("", "", 1.0, 1.0),
        ("cat", "", 0.0, 0.0),
        ("the", "cat", 0.0, 0.0),
    ],
)
def test_measures(prediction: str, gold: str, em: float, f: float) -> None:
    assert exact_match(prediction, gold) == em
    assert f1(prediction, gold) == pytest.approx(f)


def test_the_annotator_that_agrees_most_counts() -> None:
    assert best_over(f1, "blue whale", ["whale", "the blue whale"]) == 1.0
    assert best_over(exact_match, "", []) == 1.0  # unanswerable, and not answered
    assert best_over(exact_match, "whale", []) == 0.0


def squad(answers: list[dict[str, object]], **more: object) -> bytes:
    qa = {"id": "1", "question": "Who?", "answers": answers, **more}
    paragraphs = [{"context": "x", "qas": []}, {"context": "Ada wrote it.", "qas": [qa]}]
    return json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}).encode()


def test_both_versions_are_read_plain_or_gzipped(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_bytes(squad([{"text": "Ada", "answer_start": 0}]))
    packed.write_bytes(gzip.compress(squad([], is_impossible=True)))
    [article] = load_squad(plain)
    start = article.paragraph_starts()[1]
    assert article.text[start : start + 3] == "Ada"
    assert article.paragraphs[1].questions[0].answers == (("Ada", 0),)
    assert load_squad(packed)[0].paragraphs[1].questions[0].answers == ()
    assert sample([article], 5) == {"1"}


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b'{"data": [3]}', b"\x1f\x8bnot gzip"])
def test_what_is_not_squad_is_a_clear_error(raw: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(raw)
    with pytest.raises(DataError, match="SQuAD"):
        load_squad(file)
    with pytest.raises(DataError, match="can't read"):
        load_squad(tmp_path / "missing.json")
