"""What a run refuses before its first step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from docqa import DataError, ModelError, TrainError, TrainSettings, train


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
            teacher="not asked",
            teacher_file=file,
        )
    assert file.read_bytes() == before


def test_what_is_in_the_way_is_not_overwritten(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    settings = TrainSettings(base=tiny_base, normalize="window")
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(TrainError, match="not empty"):
        train([ten_questions], ten_questions, tmp_path, settings)
    with pytest.raises(TrainError, match="no unfinished run"):
        train([ten_questions], ten_questions, tmp_path, settings, resume=True)
    with pytest.raises(TrainError, match="is a file"):
        train([ten_questions], ten_questions, tmp_path / "mine.txt", settings)
    with pytest.raises(TrainError, match="can't make"):
        train([ten_questions], ten_questions, tmp_path / "mine.txt" / "out", settings)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_base_that_is_not_there(ten_questions: Path, tmp_path: Path) -> None:
    settings = TrainSettings(base=str(tmp_path / "none"), normalize="window")
    with pytest.raises(ModelError):
        train([ten_questions], ten_questions, tmp_path / "out", settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
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
