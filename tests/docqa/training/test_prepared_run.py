"""What a run refuses before its first step."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from docqa import DataError, ModelError, TrainError, TrainSettings, train
from docqa.evaluate.squad import load_squad
from docqa.ingest.windows import WindowSettings, plain_tokenizer
from docqa.training import hard_negatives as hard_negatives_module
from docqa.training.examples import make_examples
from docqa.training.hard_negatives import hard_negatives
from docqa.training.run_folder import check_out
from docqa.training.teacher import teacher_logits
from tests.docqa.random_models import without_cls


def test_dev_questions_without_an_answer_choose_nothing(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    data = json.loads(ten_questions.read_text())
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                question["answers"] = []
    dev = tmp_path / "dev.json"
    dev.write_text(json.dumps(data))
    settings = TrainSettings(base=tiny_base, normalize="window")
    with pytest.raises(DataError, match="has an answer"):
        train([ten_questions], dev, tmp_path / "out", settings)


@pytest.mark.parametrize("wrong", ["train", "dev", "base", "teacher", "tokenizer"])
def test_a_run_that_fails_is_in_no_later_run_s_way(
    wrong: str, tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    """Its folder stayed behind, and the next try was refused because it was not empty."""
    none, out = tmp_path / "none", tmp_path / "out"
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    if wrong == "tokenizer":
        without_cls(base)
    files = {"train": str(ten_questions), "dev": str(ten_questions), "base": str(base)}
    if wrong in files:
        files[wrong] = str(none)
    settings = TrainSettings(base=files["base"], normalize="window", window_size=64, overlap=16)
    teacher = str(none) if wrong == "teacher" else None
    with pytest.raises((DataError, ModelError)):
        train([files["train"]], files["dev"], out, settings, teacher=teacher)
    assert not (out / "docqa-unfinished" / "checkpoint.pt").exists()
    if wrong != "teacher":
        assert not out.exists()
    good = replace(settings, base=tiny_base, epochs=1, dev_questions=2)
    assert train([ten_questions], ten_questions, out, good).folder == out


def test_a_run_stopped_before_its_first_checkpoint_may_be_started_again(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "docqa-unfinished").mkdir(parents=True)
    (out / "docqa-unfinished" / "negatives.npz").write_bytes(b"torn")
    settings = TrainSettings(base=tiny_base, normalize="window", epochs=1, dev_questions=2)
    check_out(out, resume=False)
    (out / "docqa-unfinished" / "checkpoint.pt").touch()
    with pytest.raises(TrainError, match="--resume"):
        train([ten_questions], ten_questions, out, settings)
    with pytest.raises(TrainError, match="can't be read"):
        train([ten_questions], ten_questions, out, settings, resume=True)


def test_negatives_of_other_data_or_windows_are_not_taken(
    ten_questions: Path, tiny_tokenizer_json: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were taken silently: windows of other articles, that may hold the answer."""
    tokenizer = plain_tokenizer(Tokenizer.from_str(tiny_tokenizer_json))
    articles = load_squad(ten_questions)
    data = make_examples(articles, tokenizer)
    other = make_examples(articles[::-1], tokenizer)
    window, kept = WindowSettings(32, 8), tmp_path / "negatives.npz"
    mined = hard_negatives(data, window, kept)
    assert any(mined)
    times: list[int] = []
    mine = hard_negatives_module._mine

    def counting(*arguments: object) -> object:
        times.append(1)
        return mine(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hard_negatives_module, "_mine", counting)
    assert hard_negatives(data, window, kept) == mined
    assert not times, "what was found is kept"
    hard_negatives(other, window, kept)
    hard_negatives(other, WindowSettings(16, 4), kept)
    kept.write_bytes(kept.read_bytes()[:50])
    hard_negatives(data, window, kept)
    assert len(times) == 3
    assert hard_negatives(data, window, kept) == mined


def test_logits_of_another_teacher_are_not_taken(
    tiny_base: str, tiny_reader: Path, ten_questions: Path, tiny_tokenizer_json: str, tmp_path: Path
) -> None:
    """Only the questions' lengths were looked at."""
    data = make_examples(
        load_squad(ten_questions), plain_tokenizer(Tokenizer.from_str(tiny_tokenizer_json))
    )
    kept = tmp_path / "logits.npz"
    said = teacher_logits(data, str(tiny_reader), "cpu", kept)
    assert np.array_equal(
        teacher_logits(data, str(tiny_reader), "cpu", kept).logits, said.logits, equal_nan=True
    )
    with pytest.raises(TrainError, match="another teacher"):
        teacher_logits(data, tiny_base, "cpu", kept)


@pytest.mark.parametrize("content", ["nothing", "text", "array", "others"])
def test_a_file_without_a_teachers_logits(
    content: str, tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    file = tmp_path / "logits.npz"
    with file.open("wb") as stream:
        if content == "text":
            stream.write(b"start and end")
        elif content == "array":
            np.save(stream, np.zeros(3))
        elif content == "others":
            np.savez(stream, windows=np.zeros(3))
    before = file.read_bytes()
    with pytest.raises(TrainError, match=r"logits\.npz"):
        train(
            [ten_questions],
            ten_questions,
            tmp_path / "out",
            TrainSettings(base=tiny_base, normalize="window"),
            teacher=tiny_base,
            teacher_file=file,
        )
    assert file.read_bytes() == before


def test_what_is_in_the_way_is_not_overwritten(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    settings = TrainSettings(base=tiny_base, normalize="window")
    (tmp_path / "mine.txt").write_text("precious")
    (tmp_path / "training").mkdir()
    with pytest.raises(TrainError, match="not empty"):
        train([ten_questions], ten_questions, tmp_path, settings)
    with pytest.raises(TrainError, match="no unfinished run"):
        train([ten_questions], ten_questions, tmp_path, settings, resume=True)
    with pytest.raises(TrainError, match="is a file"):
        train([ten_questions], ten_questions, tmp_path / "mine.txt", settings)
    with pytest.raises(TrainError, match="can't make"):
        train([ten_questions], ten_questions, tmp_path / "mine.txt" / "out", settings)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.txt", "training"]


def test_a_base_that_is_not_there(ten_questions: Path, tmp_path: Path) -> None:
    settings = TrainSettings(base=str(tmp_path / "none"), normalize="window")
    with pytest.raises(ModelError):
        train([ten_questions], ten_questions, tmp_path / "out", settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", float("inf")),
        ("weight_decay", float("nan")),
        ("batch_questions", 7.5),
        ("negatives", float("nan")),
        ("window_size", 240.5),
        ("overlap", 200),
        ("refused", 1.5),
        ("normalize", "batch"),
        ("unanswerable", 1.5),
        ("dropout", 1.0),
        ("ema_decay", 1.0),
        ("negatives", -1),
        ("patience", 0),
    ],
)
def test_settings_out_of_range(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        TrainSettings(**{name: value})  # type: ignore[arg-type]
