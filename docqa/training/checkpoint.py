"""Where a training run stands: everything needed to go on as if it had never been stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

from docqa.errors import TrainError
from docqa.index.files import replaced


@dataclass
class Progress:
    """What a run has done.

    Attributes:
        epoch, step: of the next step: its epoch, and its place in it.
        steps: taken in all.
        best_step, best_f1, best_exact_match: the evaluation with the best dev score, over the
            questions of all dev files.
        best_sets: the name, questions, exact match and F1 of each dev file then.
        worse: evaluations since then.
        seconds, tokens: spent and read so far.
        history: a row a log entry, as in ``log.csv``.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    best_step: int | None = None
    best_f1: float = -1.0
    best_exact_match: float = 0.0
    best_sets: list[tuple[str, int, float, float]] = field(default_factory=list)
    worse: int = 0
    seconds: float = 0.0
    tokens: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def save_checkpoint(
    file: Path,
    run: str,
    progress: Progress,
    model: torch.nn.Module,
    average: AveragedModel | None,
    optimizer: Any,
) -> None:
    """Write a checkpoint; the last one stays whole until this one is.

    Args:
        run: the name of the run, made of its data and settings.
    """
    state = {
        "run": run,
        "progress": asdict(progress),
        "model": model.state_dict(),
        "average": None if average is None else average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with replaced(file) as part:
        torch.save(state, part)


def check_run(file: Path, run: str) -> None:
    """Check that a checkpoint is of a run.

    Raises:
        TrainError: it can't be read, or is of another run.
    """
    if _state(file)["run"] != run:
        raise TrainError(
            f"the checkpoint {file} is of a run with other data or settings: "
            "give the same ones, or another folder"
        )


def load_checkpoint(
    file: Path,
    model: torch.nn.Module,
    average: AveragedModel | None,
    optimizer: Any,
) -> Progress:
    """Bring model, moving average, optimiser and random numbers to where the checkpoint was.

    Raises:
        TrainError: it can't be read.
    """
    state = _state(file)
    model.load_state_dict(state["model"])
    if average is not None:
        average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    return Progress(**state["progress"])


def _state(file: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise TrainError(f"the checkpoint {file} can't be read: {error}") from error
    return state
