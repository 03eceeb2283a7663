"""What a run leaves behind: the reader's folder with its card, its log and a picture of that."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from docqa.training.card import Made, card
from docqa.training.checkpoint import Progress
from index.files import replaced

_COLUMNS = ("step", "epoch", "loss", "learning_rate", "tokens_per_second", "exact_match", "f1")


def write_log(file: Path, progress: Progress) -> None:
    """The history as CSV: rows of losses, and between them rows of dev scores."""
    with replaced(file) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        for row in progress.history:
            writer.writerow({name: f"{value:.6g}" for name, value in row.items()})


def draw_curves(file: Path, progress: Progress) -> None:
    """The loss and the dev score against steps, as a picture."""
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


def write_result(best: Path, out: Path, made: Made) -> None:
    """Put the best weights into ``out`` with a card, ``log.csv`` and ``curves.png``.

    The weights come last: a folder that has them is whole.
    """
    write_log(out / "log.csv", made.progress)
    draw_curves(out / "curves.png", made.progress)
    with replaced(out / "README.md") as part:
        part.write_text(card(made), encoding="utf-8")
    for file in sorted(best.iterdir(), key=lambda file: file.suffix == ".safetensors"):
        with replaced(out / file.name) as part:
            shutil.copyfile(file, part)
