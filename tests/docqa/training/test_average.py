"""The mean of readers' weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, BertForQuestionAnswering

from docqa import AnswerSettings, DataError, ModelError, Reader, TrainError, average
from docqa.cli import docqa as command
from docqa.index.models.weights_hash import weights_sha256


@pytest.fixture
def other(tiny_reader: Path, tmp_path: Path) -> Path:
    """A reader of the same base with other weights."""
    folder = tmp_path / "other"
    shutil.copytree(tiny_reader, folder)
    weights = load_file(folder / "model.safetensors")
    moved = {name: tensor + 0.25 for name, tensor in weights.items()}
    save_file(moved, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_the_mean_of_weights_by_their_shares(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = average({str(tiny_reader): 1, str(other): 3}, ten_questions, out)
    assert report.folder == out
    first = load_file(tiny_reader / "model.safetensors")
    made = load_file(out / "model.safetensors")
    assert made.keys() == first.keys()
    for name, tensor in made.items():
        assert tensor.dtype == torch.float16
        assert torch.allclose(tensor.float(), first[name].float() + 0.75 * 0.25, atol=2e-3)
    assert AnswerSettings.of_reader(out) != AnswerSettings()
    card = (out / "README.md").read_text()
    assert f"| `{other}` | 0.75 | `{weights_sha256(other)[:16]}` |" in card
    assert f"| `ten.json` | 10 | {report.exact_match:.2f} | {report.f1:.2f} |" in card
    reader = Reader(str(out), settings=AnswerSettings())
    assert reader.read("who signs ?", "the tenant signs the lease .", top_k=1)


def test_readers_of_different_bases_have_no_mean(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    config = AutoConfig.from_pretrained(other)
    config.intermediate_size *= 2
    BertForQuestionAnswering(config).save_pretrained(other)
    with pytest.raises(TrainError, match="not of one base"):
        average({str(tiny_reader): 1, str(other): 1}, ten_questions, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_encoder_that_is_no_reader_is_refused(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    weights = load_file(other / "model.safetensors")
    bare = {name: tensor for name, tensor in weights.items() if "qa_outputs" not in name}
    save_file(bare, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="fine-tuned"):
        average({str(tiny_reader): 1, str(other): 1}, ten_questions, tmp_path / "out")


def test_nothing_is_overwritten(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    two = {str(tiny_reader): 1.0, str(other): 1.0}
    with pytest.raises(TrainError, match="not empty"):
        average(two, ten_questions, other)
    file = other / "config.json"
    with pytest.raises(TrainError, match="is a file"):
        average(two, ten_questions, file)
    with pytest.raises(TrainError, match="can't make"):
        average(two, ten_questions, file / "out")
    assert file.read_text().startswith("{")


def test_what_a_killed_try_left_is_in_no_later_try_s_way(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    """Killed while the reader's files were put in place, it left a folder that was refused."""
    out = tmp_path / "out"
    (out / "docqa-unfinished").mkdir(parents=True)
    (out / "README.md").write_text("half")
    average({str(tiny_reader): 1.0, str(other): 1.0}, ten_questions, out)
    assert "half" not in (out / "README.md").read_text()
    assert not (out / "docqa-unfinished").exists()


def test_numbers_out_of_range(
    tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path
) -> None:
    two = {str(tiny_reader): 1.0, str(other): 1.0}
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="two readers"):
        average({str(other): 1}, ten_questions, out)
    with pytest.raises(ValueError, match="share"):
        average({**two, str(other): float("nan")}, ten_questions, out)
    with pytest.raises(ValueError, match="refused"):
        average(two, ten_questions, out, refused=2)
    with pytest.raises(ValueError, match="dev_questions"):
        average(two, ten_questions, out, dev_questions=0)
    with pytest.raises(DataError):
        average(two, tmp_path / "none.json", out)


def test_the_command(tiny_reader: Path, other: Path, ten_questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--dev", str(ten_questions), "--out", str(out)]
    done = CliRunner().invoke(command, ["average", str(tiny_reader), f"{other}=2", *asked])
    assert done.exit_code == 0, done.output
    assert "F1" in done.output
    assert "| 0.6667 |" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    "readers",
    [["one"], ["one", "one"], ["one=2", "two=0"], ["one", "two=much"], ["one", "=2"]],
)
def test_shares_that_are_none(readers: list[str], ten_questions: Path, tmp_path: Path) -> None:
    asked = ["--dev", str(ten_questions), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, ["average", *readers, *asked])
    assert done.exit_code == 2
    assert "reader" in done.output.lower()
