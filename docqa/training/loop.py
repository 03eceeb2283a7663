"""Fine-tuning: steps, evaluations, checkpoints, and when to stop."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from docqa.encode import PairEncoder
from docqa.errors import TrainError
from docqa.evaluate.run import evaluate_reader
from docqa.evaluate.squad import load_squad
from docqa.evaluate.tune import Tuned, tune
from docqa.read import Reader
from docqa.training.card import Data, Made
from docqa.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from docqa.training.draw import Drawer, Drawn
from docqa.training.examples import TokenRange, make_examples
from docqa.training.model import (
    base_folder,
    load_base,
    moving_average,
    parameter_groups,
    save_reader,
)
from docqa.training.negatives import hard_negatives
from docqa.training.result import write_result
from docqa.training.settings import TrainSettings
from docqa.training.step import Stepper
from docqa.training.teacher import TeacherLogits, teacher_logits
from index.device import Device, pick_device

# A checkpoint is written after each evaluation, and when this has passed.
_CHECKPOINT_SECONDS = 300.0
# A row of the log is the mean of so many steps.
_LOG_STEPS = 20
_WORK = "training"

# Told what is being done, how much of it is done, of how much, and a note.
Tell = Callable[[str, int, int, str], None]


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What came of a run.

    Attributes:
        folder: of the reader.
        steps: of the optimiser that were taken.
        best_step: after which the kept weights were.
        exact_match, f1: of these on the dev questions asked at evaluations, in per cent.
        seconds: spent on steps.
        tokens: read in steps.
    """

    folder: Path
    steps: int
    best_step: int
    exact_match: float
    f1: float
    seconds: float
    tokens: int


def train(
    train: Sequence[str | Path],
    dev: str | Path,
    out: str | Path,
    settings: TrainSettings | None = None,
    *,
    teacher: str | None = None,
    teacher_file: str | Path | None = None,
    device: Device = "auto",
    resume: bool = False,
    command: str = "",
    progress: Tell | None = None,
) -> TrainReport:
    """Fine-tune a reader and write it, with its card, as an ordinary Hugging Face folder.

    Args:
        train, dev: files in SQuAD's format, plain or gzipped.
        out: the folder to write; until the end it holds the run's state in ``training/``.
        settings: the defaults if not given.
        teacher: a question-answering model whose start and end distributions are learned too.
        teacher_file: where its logits are kept; in the run's state if not given.
        device: ``auto`` is CUDA, then MPS, then the CPU. Started by ``accelerate launch``, the
            questions of a step are shared out over its processes.
        resume: go on from the last checkpoint in ``out``, with the same data and settings; from
            the beginning where there is none.
        command: for the card, how this was called.
        progress: told how far it has come.

    Raises:
        DataError: a file can't be read as SQuAD's format.
        ModelError: the base or the teacher can't be loaded.
        TrainError: ``out`` is in the way, or the checkpoint is not of this run.
    """
    settings = settings or TrainSettings()
    run = _Run(train, dev, Path(out), settings, teacher, teacher_file, device, resume, progress)
    best = run.go()
    if run.is_main:
        folder = run.work / f"step-{best}"
        tuned = run.tune(folder)
        tuned.settings.save(folder)
        made = Made(settings, run.data, run.progress, tuned, teacher, command)
        write_result(folder, Path(out), made)
        shutil.rmtree(run.work)
    return TrainReport(
        Path(out),
        run.progress.steps,
        best,
        run.progress.best_exact_match,
        run.progress.best_f1,
        run.progress.seconds,
        run.progress.tokens,
    )


class _Run:
    """One run of training, from its files to the best weights it found."""

    def __init__(
        self,
        train: Sequence[str | Path],
        dev: str | Path,
        out: Path,
        settings: TrainSettings,
        teacher: str | None,
        teacher_file: str | Path | None,
        device: Device,
        resume: bool,
        tell: Tell | None,
    ) -> None:
        from accelerate import Accelerator

        self.settings = settings
        self.progress = Progress()
        self._device = pick_device(device)
        if self._device.startswith("cuda:"):
            torch.cuda.set_device(self._device)
        self._accelerator = Accelerator(mixed_precision="no", cpu=self._device == "cpu")
        self._tell = (self.is_main and tell) or (lambda *_: None)
        self.work = out / _WORK
        if self.is_main:
            _prepare(self.work, resume)
        self._accelerator.wait_for_everyone()
        articles = [article for file in train for article in load_squad(file)]
        self._dev = load_squad(dev)
        self.data = Data.of(train, dev)
        self._base = base_folder(settings.base)
        model = load_base(self._base, settings)
        self._encoder = PairEncoder(self._base, model)
        self._examples = make_examples(
            articles,
            self._encoder.tokenizer,
            settings.gold,
            lambda done, total: self._tell("tokenizing", done, total, ""),
        )
        if not len(self._examples):
            raise TrainError("the files to train on hold no questions")
        with self._accelerator.main_process_first():
            negatives = self._hard_negatives()
            taught = self._teacher_logits(teacher, teacher_file)
        self._drawer = Drawer(
            self._examples,
            settings,
            negatives,
            self._encoder.template.special,
            self._encoder.max_tokens,
        )
        optimizer = torch.optim.AdamW(
            parameter_groups(model, settings), lr=settings.learning_rate, fused=True
        )
        self._average = moving_average(
            model, optimizer, settings.ema_decay, self._accelerator.device
        )
        self._total = math.ceil(settings.epochs * self._drawer.steps)
        self._name = _fingerprint(settings, self.data, teacher)
        if resume and self._checkpoint.exists():
            self.progress = load_checkpoint(
                self._checkpoint, self._name, model, self._average, optimizer
            )
        self._stepper = Stepper(
            self._accelerator,
            model,
            optimizer,
            self._encoder,
            self._examples,
            settings,
            taught,
        )

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files."""
        return bool(self._accelerator.is_main_process)

    def tune(self, reader: Path) -> Tuned:
        """Choose the settings that suit the reader, by as many questions as an evaluation asks."""
        return tune(
            str(reader),
            self._dev,
            self.settings.dev_questions,
            self._device,
            lambda done, total: self._tell("choosing settings", done, total, ""),
        )

    @property
    def _checkpoint(self) -> Path:
        return self.work / "checkpoint.pt"

    def _hard_negatives(self) -> list[list[TokenRange]]:
        if self.settings.normalize == "window" or not self.settings.negatives:
            return [[] for _ in self._examples.examples]
        return hard_negatives(
            self._examples,
            self.settings.window,
            self.work / "negatives.npz",
            lambda done, total: self._tell("looking for hard negatives", done, total, ""),
        )

    def _teacher_logits(self, name: str | None, file: str | Path | None) -> TeacherLogits | None:
        if name is None:
            return None
        return teacher_logits(
            self._examples,
            name,
            self._device,
            Path(file) if file else self.work / "teacher.npz",
            lambda done, total: self._tell("the teacher is reading", done, total, ""),
        )

    def go(self) -> int:
        """Train to the end; returns the step after which the best weights were."""
        state = self.progress
        every = max(1, round(self._drawer.steps / self.settings.evaluations))
        saved = time.monotonic()
        losses: list[float] = []
        for drawn in self._questions():
            began = time.perf_counter()
            rate = _rate(state.steps - 1, self._total, self.settings.warmup)
            loss, tokens = self._stepper.take(drawn, rate)
            if not math.isfinite(loss):
                raise TrainError(
                    f"the loss is {loss} at step {state.steps}: try a lower learning rate"
                )
            state.seconds += time.perf_counter() - began
            state.tokens += tokens
            losses.append(loss)
            self._say(losses)
            if state.steps % _LOG_STEPS == 0 or state.steps == self._total:
                self._log(losses)
            if state.steps % every == 0 or state.steps == self._total:
                self._evaluate()
                if state.worse >= self.settings.patience:
                    break
            elif time.monotonic() - saved < _CHECKPOINT_SECONDS:
                continue
            self._save()
            saved = time.monotonic()
        assert state.best_step is not None
        return state.best_step

    def _questions(self) -> Iterator[list[Drawn]]:
        """The questions of the steps still to be taken; counts them as they are handed out."""
        state = self.progress
        if state.worse >= self.settings.patience:
            return
        while state.steps < self._total:
            for drawn in self._drawer.epoch(state.epoch, state.step):
                state.step += 1
                state.steps += 1
                yield drawn
                if state.steps == self._total:
                    return
            state.epoch, state.step = state.epoch + 1, 0

    def _evaluate(self) -> None:
        """Ask the dev questions with the weights as they are, as they would be shipped."""
        state = self.progress
        folder = self.work / f"step-{state.steps}"
        if self.is_main:
            kept = self._stepper.model if self._average is None else self._average.module
            save_reader(kept, self._base, self._encoder.max_tokens, folder)
        self._accelerator.wait_for_everyone()
        scores = evaluate_reader(
            Reader(str(folder), device=self._device),
            self._dev,
            self.settings.dev_questions,
            progress=lambda done, total: self._tell("asking dev questions", done, total, ""),
        ).summary()
        self._accelerator.wait_for_everyone()
        state.history.append(
            {"step": state.steps, "exact_match": scores["exact_match"], "f1": scores["f1"]}
        )
        if scores["f1"] > state.best_f1:
            state.best_step, state.worse = state.steps, 0
            state.best_f1, state.best_exact_match = scores["f1"], scores["exact_match"]
        else:
            state.worse += 1

    def _save(self) -> None:
        if not self.is_main:
            return
        stepper = self._stepper
        save_checkpoint(
            self._checkpoint,
            self._name,
            self.progress,
            stepper.model,
            self._average,
            stepper.optimizer,
        )
        for folder in self.work.glob("step-*"):
            if folder.name != f"step-{self.progress.best_step}":
                shutil.rmtree(folder)

    def _say(self, losses: Sequence[float]) -> None:
        state = self.progress
        best = f", best F1 {state.best_f1:.2f}" if state.best_step else ""
        speed = state.tokens / max(state.seconds, 1e-9)
        note = f"loss {sum(losses) / len(losses):.3f}, {speed:,.0f} tokens/s{best}"
        self._tell("training", state.steps, self._total, note)

    def _log(self, losses: list[float]) -> None:
        state = self.progress
        state.history.append(
            {
                "step": state.steps,
                "epoch": state.steps / self._drawer.steps,
                "loss": sum(losses) / len(losses),
                "learning_rate": self._stepper.rate,
                "tokens_per_second": state.tokens / state.seconds,
            }
        )
        losses.clear()


def _prepare(work: Path, resume: bool) -> None:
    """Make the folder of the run's state, where nothing is in the way."""
    out = work.parent
    if not resume and out.exists() and any(out.iterdir()):
        raise TrainError(
            f"{out} is not empty: give another folder, or go on with the run in it (--resume)"
        )
    if resume and not work.exists() and out.exists() and any(out.iterdir()):
        raise TrainError(f"there is no unfinished run in {out}")
    work.mkdir(parents=True, exist_ok=True)


def _fingerprint(settings: TrainSettings, data: Data, teacher: str | None) -> str:
    """What a checkpoint's run must have in common with the run that goes on with it."""
    parts = [asdict(settings), asdict(data), teacher]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _rate(step: int, total: int, warmup: float) -> float:
    """The share of the peak rate at a step: up over the warm-up, then down to 0 in a line."""
    rising = warmup * total
    if step < rising:
        return (step + 1) / (rising + 1)
    return (total - step) / max(total - rising, 1)
