"""Training a tiny model to its end: it learns, goes on as if never stopped, and ships a reader."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from docqa import AnswerSettings, Reader, TrainError, TrainSettings, train
from docqa.evaluate.evaluation import evaluate_reader
from docqa.evaluate.squad import load_squad
from docqa.training import step
from docqa.training import train as train_module
from docqa.training.batch import Batch
from docqa.training.sampling import Drawn
from docqa.training.settings import Normalize

pytestmark = pytest.mark.slow

SETTINGS = TrainSettings(
    epochs=25,
    batch_questions=5,
    learning_rate=3e-3,
    dropout=0.0,
    window_size=64,
    overlap=16,
    negatives=1,
    unanswerable=0.0,
    evaluations=1,
    patience=40,
    dev_questions=10,
)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(first[name], second[name]) for name in first | second)


@pytest.mark.parametrize("normalize", ["window", "question"])
def test_ten_examples_are_learned_by_heart(
    normalize: Normalize, tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, base=tiny_base, normalize=normalize)
    report = train([ten_questions], ten_questions, tmp_path / "out", settings)
    assert report.exact_match >= 90
    reader = Reader(str(report.folder), settings=AnswerSettings())
    scores = evaluate_reader(reader, load_squad(ten_questions)).summary()
    assert scores["exact_match"] == report.exact_match


def test_the_folder_is_whole_and_says_what_it_is(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    settings = replace(SETTINGS, base=tiny_base, epochs=2)
    dev = [ten_questions, tmp_path / "other.json"]
    shutil.copy(*dev)
    report = train([ten_questions], dev, out, settings, command="docqa train ten.json")
    assert not (out / "docqa-unfinished").exists()
    assert all(value.dtype == torch.float16 for value in weights(out).values())
    card = (out / "README.md").read_text()
    assert "docqa train ten.json" in card
    assert "| learning_rate | 0.003 |" in card
    assert [one.name for one in report.sets] == ["ten.json", "other.json"]
    assert f"| `other.json` | 10 | {report.exact_match:.2f} | {report.f1:.2f} |" in card
    assert report.tuned is not None
    assert AnswerSettings.of_reader(out) == report.tuned.settings
    rows = list(csv.DictReader((out / "log.csv").open()))
    assert {row["step"] for row in rows if row["f1"]} == {"2", "4"}
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_adapter_learns_and_can_be_had_alone(
    tiny_base: str, ten_questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    settings = replace(SETTINGS, base=tiny_base, adapter_rank=8, learning_rate=1e-2)
    report = train([ten_questions], ten_questions, out, settings)
    assert report.exact_match >= 70
    assert "| adapter_rank | 8 |" in (out / "README.md").read_text()
    alone = Reader(str(out / "adapter"), settings=AnswerSettings())
    scores = evaluate_reader(alone, load_squad(ten_questions)).summary()
    assert scores["exact_match"] == report.exact_match


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("ema_decay", [0.0, 0.7])
def test_a_stopped_run_ends_in_the_same_weights(
    ema_decay: float,
    tiny_base: str,
    ten_questions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = replace(SETTINGS, base=tiny_base, epochs=6, dropout=0.1, ema_decay=ema_decay)
    train([ten_questions], ten_questions, tmp_path / "whole", settings)
    monkeypatch.setattr(train_module, "_CHECKPOINT_SECONDS", 0.0)
    for stop_at in (3, 8, 8, 11):
        with pytest.raises(StoppedError):
            train(
                [ten_questions],
                ten_questions,
                tmp_path / "stopped",
                settings,
                resume=True,
                progress=stopping(stop_at),
            )
    train([ten_questions], ten_questions, tmp_path / "stopped", settings, resume=True)
    assert same(tmp_path / "whole", tmp_path / "stopped")
    assert course(tmp_path / "whole") == course(tmp_path / "stopped")


def course(folder: Path) -> list[tuple[str, ...]]:
    """What the log says of each step's rate and scores, which later weights go into too."""
    names = ("step", "learning_rate", "exact_match", "f1")
    rows = csv.DictReader((folder / "log.csv").open())
    return [tuple(row[name] for name in names) for row in rows]


def stopping(at: int) -> Callable[[str, int, int, str], None]:
    def on_stage(stage: str, done: int, total: int, note: str) -> None:
        if stage == "training" and done >= at:
            raise StoppedError

    return on_stage


def test_the_moving_average_of_the_weights_is_kept(
    tiny_base: str, ten_questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after: list[dict[str, torch.Tensor]] = []
    take = step.Stepper.take

    def recording(stepper: step.Stepper, drawn: list[Drawn], rate: float) -> tuple[float, int]:
        taken = take(stepper, drawn, rate)
        after.append({name: p.detach().clone() for name, p in stepper.model.named_parameters()})
        return taken

    monkeypatch.setattr(step.Stepper, "take", recording)
    settings = replace(SETTINGS, base=tiny_base, epochs=4, ema_decay=0.7)
    report = train([ten_questions], ten_questions, tmp_path / "out", settings)
    kept = weights(report.folder)
    for name, average in after[0].items():
        for later in after[1 : report.best_step]:
            average = 0.7 * average + 0.3 * later[name]
        torch.testing.assert_close(kept[name].float(), average, atol=1e-3, rtol=1e-3)
    head = "qa_outputs.weight"
    assert not torch.allclose(kept[head].float(), after[report.best_step - 1][head], atol=1e-3)


def test_it_stops_when_the_score_no_longer_rises(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, base=tiny_base, learning_rate=1e-12, patience=2)
    report = train([ten_questions], ten_questions, tmp_path / "out", settings)
    assert (report.best_step, report.steps) == (2, 6)


def test_the_first_losses_are_those_of_plain_transformers(
    tiny_base: str, ten_questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same examples in the same order through a plain loop: the sum is twice their mean."""
    from transformers import AutoModelForQuestionAnswering

    monkeypatch.setattr(step, "pick_dtype", lambda *_: torch.float32)
    losses: list[float] = []
    taken: list[Batch] = []
    take, make = step.Stepper.take, step.make_batches

    def recording_take(stepper: step.Stepper, drawn: list[Drawn], rate: float) -> tuple[float, int]:
        loss, tokens = take(stepper, drawn, rate)
        losses.append(loss)
        return loss, tokens

    def recording_make(*args: object) -> list[Batch]:
        batches: list[Batch] = make(*args)  # type: ignore[arg-type]
        taken.extend(batches)
        return batches

    monkeypatch.setattr(step.Stepper, "take", recording_take)
    monkeypatch.setattr(step, "make_batches", recording_make)
    settings = replace(
        SETTINGS,
        base=tiny_base,
        batch_questions=1,
        normalize="window",
        epochs=1,
        warmup=0.0,
        learning_rate=1e-3,
        clip=1e9,
    )
    train([ten_questions], ten_questions, tmp_path / "out", settings)
    assert len(losses) == len(taken) == 10

    model = AutoModelForQuestionAnswering.from_pretrained(
        tiny_base, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    ).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    )
    for n, batch in enumerate(taken):
        [row] = batch.rows
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (10 - n) / 10
        output = model(
            input_ids=torch.from_numpy(row.ids[None]).long(),
            token_type_ids=torch.from_numpy(row.segments[None]).long(),
            attention_mask=torch.ones(1, len(row), dtype=torch.long),
            start_positions=batch.targets.starts.int().argmax(1),
            end_positions=batch.targets.ends.int().argmax(1),
        )
        assert losses[n] == pytest.approx(2 * output.loss.item(), rel=1e-4)
        output.loss.mul(2).backward()
        optimizer.step()
        optimizer.zero_grad()


def test_a_student_comes_nearer_to_its_teacher(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    taught = replace(SETTINGS, base=tiny_base, normalize="window")
    teacher = train([ten_questions], ten_questions, tmp_path / "teacher", taught)
    settings = replace(taught, epochs=20, teacher_weight=1.0)
    kept = tmp_path / "logits.npz"
    report = train(
        [ten_questions],
        ten_questions,
        tmp_path / "student",
        settings,
        teacher=str(teacher.folder),
        teacher_file=kept,
    )
    assert kept.exists()
    assert report.exact_match >= 80  # from the teacher's distributions alone
    assert "Taught by" in (report.folder / "README.md").read_text()


def test_another_run_does_not_go_on_from_a_checkpoint(
    tiny_base: str, ten_questions: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, base=tiny_base, epochs=2)
    with pytest.raises(StoppedError):
        train([ten_questions], ten_questions, tmp_path / "out", settings, progress=stopping(4))
    with pytest.raises(TrainError, match="other data or settings"):
        train(
            [ten_questions],
            ten_questions,
            tmp_path / "out",
            replace(settings, seed=1),
            resume=True,
        )


def test_the_rate_rises_and_falls() -> None:
    rates = [train_module._rate(at, 100, 0.1) for at in range(100)]
    assert rates[0] < rates[5] < max(rates) == pytest.approx(1.0)
    assert rates[10] > rates[50] > rates[99] > 0


@pytest.mark.parametrize(
    ("epochs", "batch_questions", "ema_decay", "steps"), [(3, 5, 0.0, 6), (1, 2, 0.5, 5)]
)
def test_two_processes_end_in_the_weights_of_one(
    epochs: int,
    batch_questions: int,
    ema_decay: float,
    steps: int,
    tiny_base: str,
    ten_questions: Path,
    tmp_path: Path,
) -> None:
    launchers = {
        "one": [sys.executable, "-m"],
        "two": [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m"],
    }
    for name, launcher in launchers.items():
        command = [*launcher, "docqa", "train", str(ten_questions), "--dev", str(ten_questions)]
        command += ["--out", str(tmp_path / name), "--base", tiny_base, "--epochs", str(epochs)]
        command += ["--learning-rate", "1e-3", "--batch-questions", str(batch_questions)]
        command += ["--dropout", "0", "--ema-decay", str(ema_decay)]
        command += ["--window-size", "64", "--overlap", "16", "--negatives", "1"]
        command += ["--unanswerable", "0", "--evaluations", "1", "--device", "cpu", "--json"]
        done = subprocess.run(command, check=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert json.loads(done.stdout)["steps"] == steps
    base, one, two = (
        torch.cat([tensor.float().flatten() for tensor in weights(folder).values()])
        for folder in (Path(tiny_base), tmp_path / "one", tmp_path / "two")
    )
    assert torch.cosine_similarity(one - base, two - base, dim=0) > 0.99
