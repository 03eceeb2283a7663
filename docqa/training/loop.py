"""Fine-tuning: steps, evaluations, checkpoints, and when to stop."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from docqa.encode import PairEncoder
from docqa.errors import TrainError
from docqa.evaluate.run import evaluate_reader
from docqa.evaluate.squad import load_squad
from docqa.evaluate.tune import Tuned, tune
from docqa.forward import forward_rows
from docqa.packed import pack_rows
from docqa.read import Reader
from docqa.training.batch import Batch, make_batches
from docqa.training.card import Data, Made
from docqa.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from docqa.training.draw import Drawer, Drawn
from docqa.training.dropout import cheapen_dropout
from docqa.training.examples import TokenRange, make_examples
from docqa.training.loss import distillation_loss, span_loss
from docqa.training.model import base_folder, load_base, parameter_groups, save_reader
from docqa.training.negatives import hard_negatives
from docqa.training.result import write_result
from docqa.training.settings import TrainSettings
from docqa.training.teacher import TeacherLogits, teacher_logits
from index.device import Device, pick_device, pick_dtype

# Tokens that go through the model at once, there and back.
_BATCH_TOKENS = {"cuda": 65_536, "mps": 16_384, "cpu": 4_096}
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
        self.work = _work_folder(out, resume)
        self.progress = Progress()
        self._tell = tell or (lambda *_: None)
        self._device = pick_device(device)
        if self._device.startswith("cuda:"):
            torch.cuda.set_device(self._device)
        self._batch_tokens = _BATCH_TOKENS[torch.device(self._device).type]
        self._half = pick_dtype("auto", self._device) is torch.bfloat16
        self._accelerator = Accelerator(mixed_precision="no", cpu=self._device == "cpu")
        articles = [article for file in train for article in load_squad(file)]
        self._dev = load_squad(dev)
        self.data = Data.of(train, dev)
        self._base = base_folder(settings.base)
        model = load_base(self._base, settings)
        if self._device == "cpu":
            cheapen_dropout(model)
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
            self._drawer = Drawer(
                self._examples,
                settings,
                self._hard_negatives(),
                self._encoder.template.special,
                self._encoder.max_tokens,
            )
            self._teacher = self._teacher_logits(teacher, teacher_file)
        model.train()
        self._packed = pack_rows(model, self._device)
        optimizer = torch.optim.AdamW(
            parameter_groups(model, settings), lr=settings.learning_rate, fused=True
        )
        self._peaks = [group["lr"] for group in optimizer.param_groups]
        self._total = math.ceil(settings.epochs * self._drawer.steps)
        self._name = _fingerprint(settings, self.data, teacher)
        if resume and self._checkpoint.exists():
            self.progress = load_checkpoint(self._checkpoint, self._name, model, optimizer)
        self._model, self._optimizer = self._accelerator.prepare(model, optimizer)

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
            loss, tokens = self._step(drawn)
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

    def _step(self, drawn: list[Drawn]) -> tuple[float, int]:
        """One step of the optimiser; returns the mean loss and how many tokens were read."""
        rate = _rate(self.progress.steps - 1, self._total, self.settings.warmup)
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
        mine = drawn[self._accelerator.process_index :: self._accelerator.num_processes] or drawn
        batches = make_batches(
            mine, self._examples, self._encoder, self.settings.normalize, self._batch_tokens
        )
        groups = sum(batch.groups for batch in batches)
        total = 0.0
        self._model.train()
        for batch in batches:
            last = batch is batches[-1]
            with nullcontext() if last else self._accelerator.no_sync(self._model):
                loss = self._loss(batch) / groups
                self._accelerator.backward(loss)
            total += float(loss.detach())
        self._accelerator.clip_grad_norm_(self._model.parameters(), self.settings.clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if not math.isfinite(total):
            raise TrainError(
                f"the loss is {total} at step {self.progress.steps}: try a lower learning rate"
            )
        return total, sum(batch.tokens for batch in batches)

    def _loss(self, batch: Batch) -> torch.Tensor:
        """The sum of the losses of a batch's groups."""
        device = str(self._accelerator.device)
        targets = batch.targets.to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=self._half):
            start, end = forward_rows(self._model, self._encoder, batch.rows, device, self._packed)
        losses = span_loss(start, end, targets)
        if self._teacher is not None:
            teacher_start, teacher_end, taught = self._teacher.of(batch)
            taking = distillation_loss(
                start,
                end,
                teacher_start.to(device),
                teacher_end.to(device),
                targets,
                self.settings.temperature,
            )
            weight = self.settings.teacher_weight * taught.to(device)
            losses = (1 - weight) * losses + weight * taking
        return losses.sum()

    def _evaluate(self) -> None:
        """Ask the dev questions with the weights as they are, as they would be shipped."""
        state = self.progress
        folder = self.work / f"step-{state.steps}"
        if self.is_main:
            model = self._accelerator.unwrap_model(self._model)
            save_reader(model, self._base, self._encoder.max_tokens, folder)
        self._accelerator.wait_for_everyone()
        scores = evaluate_reader(
            Reader(str(folder), device=self._device),
            self._dev,
            self.settings.dev_questions,
            progress=lambda done, total: self._tell("asking dev questions", done, total, ""),
        ).summary()
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
        model = self._accelerator.unwrap_model(self._model)
        save_checkpoint(
            self._checkpoint, self._name, self.progress, model, self._optimizer.optimizer
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
                "learning_rate": self._optimizer.param_groups[-1]["lr"],
                "tokens_per_second": state.tokens / state.seconds,
            }
        )
        losses.clear()


def _work_folder(out: Path, resume: bool) -> Path:
    work = out / _WORK
    if not resume and out.exists() and any(out.iterdir()):
        raise TrainError(
            f"{out} is not empty: give another folder, or go on with the run in it (--resume)"
        )
    if resume and not work.exists() and out.exists() and any(out.iterdir()):
        raise TrainError(f"there is no unfinished run in {out}")
    work.mkdir(parents=True, exist_ok=True)
    return work


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
