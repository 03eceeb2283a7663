"""The folder of a reader in the making: the state it is made in, and what is left in the end."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from docqa.errors import TrainError
from docqa.index.files import replaced
from docqa.training.checkpoint import Progress

# A name that nobody else gives a folder: it is removed in the end, with all that it holds.
_STATE = "docqa-unfinished"
# The adapter alone, beside the reader that it makes of its base.
ADAPTER = "adapter"

_COLUMNS = ("step", "epoch", "loss", "learning_rate", "tokens_per_second", "exact_match", "f1")


def check_out(out: Path, resume: bool) -> None:
    """Check that a reader may be made in ``out``.

    A folder of state says that whatever is in ``out`` was left by an unfinished run, since a run
    begins in an empty folder. Without a checkpoint nothing of it is worth keeping.

    Args:
        resume: whether to go on with an unfinished run.

    Raises:
        TrainError: ``out`` holds something else, or there is nothing to go on with.
    """
    if not _holds_anything(out):
        return
    unfinished = state_folder(out).exists()
    if resume and not unfinished:
        raise TrainError(f"there is no unfinished run in {out}")
    if not resume and checkpoint_file(out).exists():
        raise TrainError(
            f"{out} is not empty: give another folder, or go on with the run in it (--resume)"
        )
    if not unfinished:
        raise TrainError(f"{out} is not empty: give another folder")


def state_folder(out: Path) -> Path:
    """Return the folder of a run's state."""
    return out / _STATE


def checkpoint_file(out: Path) -> Path:
    """Return the file that says where a run stands."""
    return state_folder(out) / "checkpoint.pt"


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; what is there stays.

    Raises:
        TrainError: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainError(f"can't make the folder {folder}: {error.strerror}") from error


def _holds_anything(folder: Path) -> bool:
    """Return whether a folder is there and not empty.

    Raises:
        TrainError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise TrainError(f"{folder} is a file: give a folder")
    return folder.exists() and any(folder.iterdir())


def write_log(file: Path, progress: Progress) -> None:
    """Write the history as CSV: rows of losses, and between them rows of dev scores."""
    with replaced(file) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        for row in progress.history:
            writer.writerow({name: f"{value:.6g}" for name, value in row.items()})


def draw_curves(file: Path, progress: Progress) -> None:
    """Draw the loss and the dev score against steps."""
    from matplotlib.figure import Figure

    losses = [row for row in progress.history if "loss" in row]
    scores = [row for row in progress.history if "f1" in row]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    left = figure.subplots()
    left.plot([r["step"] for r in losses], [r["loss"] for r in losses], color="tab:blue")
    left.set_xlabel("step")
    left.set_ylabel("training loss", color="tab:blue")
    right = left.twinx()
    steps = [row["step"] for row in scores]
    right.plot(steps, [r["f1"] for r in scores], "o-", color="tab:red", label="F1")
    right.plot(steps, [r["exact_match"] for r in scores], "s--", color="tab:orange", label="EM")
    right.set_ylabel("dev score, %")
    right.legend(loc="lower right")
    left.grid(alpha=0.3)
    with replaced(file) as part:
        figure.savefig(part, format="png", dpi=120)


def put_reader(made: Path, card: str, out: Path) -> None:
    """Put a reader's files into ``out``, with its card, and remove the state it was made in.

    The weights come last: a folder that has them is whole.
    """
    with replaced(out / "README.md") as part:
        part.write_text(card, encoding="utf-8")
    files = [file for file in made.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: file == made / "model.safetensors"):
        target = out / file.relative_to(made)
        target.parent.mkdir(exist_ok=True)
        with replaced(target) as part:
            shutil.copyfile(file, part)
    shutil.rmtree(state_folder(out))
