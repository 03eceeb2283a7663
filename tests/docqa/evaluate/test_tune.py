"""Settings chosen on data: what they are, where they are written, who takes them."""

from __future__ import annotations

import json
import shutil
from math import inf, isfinite
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa import AnswerSettings, DataError, DocQA, ModelError, Reader, tune
from docqa.cli import run
from docqa.evaluate.squad import load_dev
from docqa.evaluate.tune import choose_settings, null_threshold
from docqa.settings import DEFAULT_READER, READER_SETTINGS
from tests.conftest import LEASE, ROCKET
from tests.docqa.random_models import without_cls

MARGINS = st.lists(st.integers(-40, 40).map(lambda n: n / 4), min_size=1, max_size=60)


def squad(file: Path, context: str, questions: list[tuple[str, str | None]]) -> Path:
    qas = [
        {
            "id": f"{file.stem}-{n}",
            "question": question,
            "answers": [{"text": gold, "answer_start": context.index(gold)}] if gold else [],
        }
        for n, (question, gold) in enumerate(questions)
    ]
    paragraphs = [{"context": context, "qas": qas}]
    file.write_text(json.dumps({"data": [{"title": file.stem, "paragraphs": paragraphs}]}))
    return file


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("dev")
    lease = [
        ("Who is the landlord?", "Margaret Holloway"),
        ("When does the lease end?", "28 February 2024"),
        ("Who won the world cup in 1998?", None),
    ]
    rocket = [
        ("Who designed the Ariadne rocket?", "Jean-Luc Ferrand"),
        ("How tall is the Ariadne rocket?", "54 metres"),
    ]
    return [
        squad(folder / "lease.json", LEASE, lease),
        squad(folder / "rocket.json", ROCKET, rocket),
    ]


@pytest.fixture
def reader(tiny_reader: Path, tmp_path: Path) -> Path:
    """A tiny reader of the test's own, whose answers have at most four tokens."""
    folder = tmp_path / "reader"
    shutil.copytree(tiny_reader, folder)
    (folder / READER_SETTINGS).write_text('{"max_answer_tokens": 4}')
    return folder


def refused(margins: list[float], threshold: float) -> float:
    return sum(margin > threshold for margin in margins) / len(margins)


@given(MARGINS, MARGINS, st.sampled_from([0.0, 0.03, 0.2, 1.0]))
def test_as_many_unanswerable_are_recognised_as_the_answerable_allow(
    answerable: list[float], unanswerable: list[float], share: float
) -> None:
    threshold = null_threshold(answerable, unanswerable, share)
    assert refused(answerable, threshold) <= share + 1e-9
    every = sorted({*answerable, *unanswerable, min(*answerable, *unanswerable) - 1})
    best = max(
        refused(unanswerable, other)
        for other in every
        if refused(answerable, other) <= share + 1e-9
    )
    assert refused(unanswerable, threshold) == pytest.approx(best)
    alike = [other for other in every if refused(unanswerable, other) == pytest.approx(best)]
    fewest = min(refused(answerable, other) for other in alike)
    assert refused(answerable, threshold) == pytest.approx(fewest), "none is refused for nothing"


def test_three_in_a_hundred_are_refused_where_there_is_something_to_recognise() -> None:
    answerable = [float(n) for n in range(100)]
    assert refused(answerable, null_threshold(answerable, [96.5])) == 0.03
    assert refused(answerable, null_threshold(answerable, [-5.0])) == 0.0
    assert refused(answerable, null_threshold(answerable, [])) == 0.01
    assert null_threshold([-inf, -inf], [-inf]) == inf, "a model without a null score"
    assert null_threshold([inf], [inf]) == inf


def test_settings_are_chosen_on_all_sets_together(dev: list[Path]) -> None:
    steps: list[tuple[int, int]] = []
    tuned = choose_settings(
        DEFAULT_READER, load_dev(dev, 10), progress=lambda *now: steps.append(now)
    )
    lease, rocket = tuned.sets
    assert (lease.name, lease.answerable, lease.unanswerable) == ("lease.json", 2, 1)
    assert (rocket.name, rocket.answerable, rocket.unanswerable) == ("rocket.json", 2, 0)
    assert rocket.f1 >= 90
    assert rocket.recognised is None
    assert lease.refused == rocket.refused == 0
    assert lease.recognised == 1, "nothing in the lease is like the world cup"
    assert tuned.f1 == pytest.approx((2 * lease.f1 + 2 * rocket.f1) / 4)
    assert isfinite(tuned.settings.null_threshold)
    assert isfinite(tuned.settings.stop_margin)
    assert steps[-1][0] == steps[-1][1] == len(steps)
    reader = Reader(settings=tuned.settings)
    assert reader.read("Who won the world cup in 1998?", LEASE) == []
    assert reader.read("Who is the landlord?", LEASE)


def test_a_reader_without_cls_is_tuned_too(reader: Path, dev: list[Path]) -> None:
    """Its null score is -inf, and the infinite margins broke the fit of the probability."""
    without_cls(reader)
    tuned = choose_settings(str(reader), load_dev(dev, 10))
    assert tuned.settings.null_threshold == inf
    assert tuned.settings.platt is None
    assert [one.refused for one in tuned.sets] == [0, 0]


def test_settings_are_written_beside_the_reader(reader: Path, dev: list[Path]) -> None:
    report = tune(str(reader), dev)
    assert report.file == reader / READER_SETTINGS
    settings = AnswerSettings.of_reader(reader)
    assert settings == report.tuned.settings
    assert settings.max_answer_tokens == 4, "what the user chose stays"
    assert Reader(str(reader)).settings == settings


def test_settings_in_a_file_are_taken_everywhere(
    reader: Path,
    dev: list[Path],
    documents: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = (reader / READER_SETTINGS).read_text()
    file = tmp_path / "strict.json"
    arguments = ["tune", str(reader), "--out", str(file), "--refused", "1", "--json"]
    assert run([*arguments, *(part for one in dev for part in ("--dev", str(one)))]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["file"] == str(file)
    assert [one["name"] for one in value["tuned"]["sets"]] == ["lease.json", "rocket.json"]
    assert (reader / READER_SETTINGS).read_text() == before
    settings = AnswerSettings.from_file(file)
    assert value["tuned"]["settings"]["prior_weight"] == settings.prior_weight

    file.write_text('{"null_threshold": -1000.0}')
    index = str(tmp_path / "index")
    qa = DocQA(index, reader=str(reader), settings=AnswerSettings.from_file(file))
    qa.index([documents])
    assert qa.ask("Who is the landlord?") == []
    use = ["--reader", str(reader), "--settings", str(file), "--json"]
    text = str(documents / "lease.txt")
    for command in (
        ["ask", "Who?", "--index", index],
        ["read", "Who?", text],
        ["explain", "Who?", "--index", index],
        ["explain", "Who?", text],
    ):
        assert run([*command, *use]) == 0
        assert json.loads(capsys.readouterr().out)["answers"] == []
    for kind in ("reader", "open"):
        assert run(["eval", kind, str(dev[0]), *use]) == 0
        assert json.loads(capsys.readouterr().out)["answered"] == 0
    assert run(["read", "Who?", text, *use, "--null-threshold", "inf"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"], "a single option comes first"


def test_what_can_t_be_tuned_is_said_before_anything_is_read(
    reader: Path, dev: list[Path], tmp_path: Path
) -> None:
    none = squad(tmp_path / "none.json", LEASE, [("Who won the world cup?", None)])
    empty = squad(tmp_path / "empty.json", LEASE, [])
    with pytest.raises(DataError, match="has an answer"):
        tune(str(reader), none)
    with pytest.raises(DataError, match="holds no questions"):
        tune(str(reader), [dev[0], empty])
    with pytest.raises(ValueError, match="at least one file"):
        tune(str(reader), [])
    with pytest.raises(ValueError, match="--out"):
        tune("some/reader-on-the-hub", dev)
    with pytest.raises(ModelError, match="can't write"):
        tune(str(reader), dev, tmp_path / "no" / "such" / "folder.json")
    with pytest.raises(ValueError, match="refused"):
        tune(str(reader), dev, refused=2)
    with pytest.raises(ValueError, match="dev_questions"):
        tune(str(reader), dev, dev_questions=0)
