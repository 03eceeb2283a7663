"""Fine-tuning: steps, evaluations, checkpoints, and when to stop."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from docqa.errors import TrainError
from docqa.evaluate.evaluation import SetScores, evaluate_sets
from docqa.evaluate.tune import Tuned, choose_settings
from docqa.index.models.device import Device
from docqa.model.adapter import merged, save_adapter
from docqa.model.saved import save_reader
from docqa.reader import Reader
from docqa.settings import READER_SETTINGS, AnswerSettings
from docqa.training.card import Made, card
from docqa.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from docqa.training.prepared_run import PreparedRun, prepare_run
from docqa.training.run_folder import ADAPTER, draw_curves, put_reader, write_log
from docqa.training.sampling import Drawn
from docqa.training.settings import TrainSettings
from docqa.training.stages import OnStage, stage_progress

# A checkpoint is written after each evaluation, and when this has passed.
_CHECKPOINT_SECONDS = 300.0
# A row of the log is the mean of so many steps.
_LOG_STEPS = 20


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What came of a run.

    Attributes:
        folder: of the reader.
        steps: of the optimiser that were taken.
        best_step: after which the kept weights were.
        exact_match, f1: of these weights, over the answerable questions of all dev files, each
            asked of its own paragraph, in per cent.
        sets: the same for each dev file.
        tuned: the settings chosen for the reader, and how it does over whole articles with them;
            None on a process that writes no files.
        seconds: spent on steps.
        tokens: read in steps.
    """

    folder: Path
    steps: int
    best_step: int
    exact_match: float
    f1: float
    sets: tuple[SetScores, ...]
    tuned: Tuned | None
    seconds: float
    tokens: int


def train(
    train: Sequence[str | Path],
    dev: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: TrainSettings | None = None,
    *,
    teacher: str | None = None,
    teacher_file: str | Path | None = None,
    device: Device = "auto",
    resume: bool = False,
    command: str = "",
    progress: OnStage | None = None,
) -> TrainReport:
    """Fine-tune a reader and write it, with its card, as an ordinary Hugging Face folder.

    Args:
        train: files in SQuAD's format, plain or gzipped.
        dev: a file of other questions in that format, or several; the weights and the settings are
            chosen by all of them together.
        out: the folder to write; until the end it holds the run's state in ``docqa-unfinished/``.
        settings: the defaults if not given.
        teacher: a question-answering model whose start and end distributions are learned too.
        teacher_file: where its logits are kept; in the run's state if not given.
        device: ``auto`` is CUDA, then MPS, then the CPU. Started by ``accelerate launch``, the
            questions of a step are shared out over its processes.
        resume: go on from the last checkpoint in ``out``, with the same data and settings; from
            the beginning where there is none.
        command: for the card, how this was called.
        progress: gets how far the run has come.

    Raises:
        DataError: a file can't be read as SQuAD's format.
        ModelError: the base or the teacher can't be loaded.
        TrainError: ``out`` is in the way, or the checkpoint is not of this run.
    """
    settings = settings or TrainSettings()
    out = Path(out)
    run = prepare_run(train, dev, out, settings, teacher, teacher_file, device, resume, progress)
    languages = AnswerSettings.of_reader(run.base).languages
    state = Progress()
    if resume and run.checkpoint.exists():
        model, optimizer = run.stepper.model, run.stepper.optimizer
        state = load_checkpoint(run.checkpoint, model, run.average, optimizer)
    best = _Loop(run, state).go()
    folder = run.state / f"step-{best}"
    tuned = None
    if run.is_main:
        AnswerSettings(headings=settings.headings > 0, languages=languages).save(
            folder / READER_SETTINGS
        )
        tuned = choose_settings(
            str(folder),
            run.dev,
            run.device,
            stage_progress(run.on_stage, "choosing settings"),
            settings.refused,
        )
        tuned.settings.save(folder / READER_SETTINGS)
        if settings.adapter_rank:
            tuned.settings.save(folder / ADAPTER / READER_SETTINGS)
        write_log(out / "log.csv", state)
        draw_curves(out / "curves.png", state)
        put_reader(folder, card(Made(settings, run.data, state, tuned, teacher, command)), out)
    return TrainReport(
        out,
        state.steps,
        best,
        state.best_exact_match,
        state.best_f1,
        tuple(SetScores(*scores) for scores in state.best_sets),
        tuned,
        state.seconds,
        state.tokens,
    )


class _Loop:
    """Steps, and what is done between them."""

    def __init__(self, run: PreparedRun, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._total = math.ceil(run.settings.epochs * run.drawer.steps)

    def go(self) -> int:
        """Train to the end; returns the step after which the best weights were."""
        run, state = self._run, self._progress
        every = max(1, round(run.drawer.steps / run.settings.evaluations))
        saved = time.monotonic()
        losses: list[float] = []
        for drawn in self._questions():
            began = time.perf_counter()
            rate = _rate(state.steps - 1, self._total, run.settings.warmup)
            loss, tokens = run.stepper.take(drawn, rate)
            if not math.isfinite(loss):
                raise TrainError(
                    f"the loss is {loss} at step {state.steps}: "
                    "start again in another folder, with a lower learning rate"
                )
            state.seconds += time.perf_counter() - began
            state.tokens += tokens
            losses.append(loss)
            self._say(losses)
            if state.steps % _LOG_STEPS == 0 or state.steps == self._total:
                self._log(losses)
            if state.steps % every == 0 or state.steps == self._total:
                self._evaluate()
                if state.worse >= run.settings.patience:
                    break
            elif time.monotonic() - saved < _CHECKPOINT_SECONDS:
                continue
            self._save()
            saved = time.monotonic()
        assert state.best_step is not None
        return state.best_step

    def _questions(self) -> Iterator[list[Drawn]]:
        """Yield the questions of the steps that are left, and count the steps."""
        state = self._progress
        if state.worse >= self._run.settings.patience:
            return
        while state.steps < self._total:
            for drawn in self._run.drawer.epoch(state.epoch, state.step):
                state.step += 1
                state.steps += 1
                yield drawn
                if state.steps == self._total:
                    return
            state.epoch, state.step = state.epoch + 1, 0

    def _evaluate(self) -> None:
        """Ask the dev questions with the weights as they are, as they would be shipped."""
        run, state = self._run, self._progress
        folder = run.state / f"step-{state.steps}"
        if run.is_main:
            save_reader(merged(run.weights), run.base, run.encoder.max_tokens, folder)
            if run.settings.adapter_rank:
                save_adapter(run.weights, folder / ADAPTER)
        run.accelerator.wait_for_everyone()
        scores, sets = evaluate_sets(
            Reader(str(folder), device=run.device),
            run.dev,
            stage_progress(run.on_stage, "asking dev questions"),
        )
        run.accelerator.wait_for_everyone()
        state.history.append(
            {"step": state.steps, "exact_match": scores.exact_match, "f1": scores.f1}
        )
        if scores.f1 > state.best_f1:
            state.best_step, state.worse = state.steps, 0
            state.best_f1, state.best_exact_match = scores.f1, scores.exact_match
            state.best_sets = [astuple(one) for one in sets]
        else:
            state.worse += 1

    def _save(self) -> None:
        run, state = self._run, self._progress
        if not run.is_main:
            return
        model, optimizer = run.stepper.model, run.stepper.optimizer
        save_checkpoint(run.checkpoint, run.name, state, model, run.average, optimizer)
        for folder in run.state.glob("step-*"):
            if folder.name != f"step-{state.best_step}":
                shutil.rmtree(folder)

    def _say(self, losses: Sequence[float]) -> None:
        state = self._progress
        best = f", best F1 {state.best_f1:.2f}" if state.best_step else ""
        speed = state.tokens / max(state.seconds, 1e-9)
        note = f"loss {sum(losses) / len(losses):.3f}, {speed:,.0f} tokens/s{best}"
        self._run.on_stage("training", state.steps, self._total, note)

    def _log(self, losses: list[float]) -> None:
        state = self._progress
        state.history.append(
            {
                "step": state.steps,
                "epoch": state.steps / self._run.drawer.steps,
                "loss": sum(losses) / len(losses),
                "learning_rate": self._run.stepper.rate,
                "tokens_per_second": state.tokens / state.seconds,
            }
        )
        losses.clear()


def _rate(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak rate at a step: rising over the warm-up, then falling to 0."""
    rising = warmup * total
    if step < rising:
        return (step + 1) / (rising + 1)
    return (total - step) / max(total - rising, 1)
