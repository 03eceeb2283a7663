"""Several readers of one base made into one: the mean of their weights.

Wortsman et al. (2022), "Model soups": fine-tuned from the same base, readers lie so close to each
other that the mean of their weights reads better than each of them, at no cost when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from docqa.errors import TrainError
from docqa.evaluate.evaluation import SetScores, evaluate_sets
from docqa.evaluate.squad import load_dev
from docqa.evaluate.tune import Tuned, choose_settings
from docqa.index.models.device import Device
from docqa.index.models.tokenizer import load_fast_tokenizer
from docqa.index.models.weights_hash import weights_sha256
from docqa.model.adapter import reader_folder
from docqa.model.rows import PairEncoder
from docqa.model.saved import save_reader
from docqa.model.span_head import load_span_head
from docqa.reader import Reader
from docqa.settings import READER_SETTINGS, AnswerSettings
from docqa.training.card import Averaged, DataFile, averaged_card
from docqa.training.run_folder import check_out, make_folder, put_reader, state_folder
from docqa.training.settings import TrainSettings
from docqa.training.stages import OnStage, stage_progress


@dataclass(frozen=True, slots=True)
class AverageReport:
    """What came of a mean of readers.

    Attributes:
        folder: of the reader.
        exact_match, f1: over the answerable questions of all dev files, each asked of its own
            paragraph, in per cent.
        sets: the same for each dev file.
        tuned: the settings chosen for the reader, and how it does over whole articles with them.
    """

    folder: Path
    exact_match: float
    f1: float
    sets: tuple[SetScores, ...]
    tuned: Tuned


def average(
    readers: Mapping[str, float],
    dev: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    dev_questions: int = 1000,
    refused: float | None = None,
    device: Device = "auto",
    command: str = "",
    progress: OnStage | None = None,
) -> AverageReport:
    """Write the mean of readers' weights as a reader, with the settings that suit it.

    Args:
        readers: folders or hub names, and what the weights of each count; only the ratios matter.
        dev: a file of questions in SQuAD's format, or several, by which the settings are chosen.
        out: the folder to write.
        dev_questions: the most questions of each file that are asked.
        refused: the greatest share of the answerable questions that get no answer at the null
            threshold (:func:`docqa.tune`).
        command: for the card, how this was called.
        progress: gets how far the work has come.

    Raises:
        ValueError: fewer than two readers, or a number out of range.
        DataError: ``dev`` can't be read as SQuAD's format.
        ModelError: a reader can't be loaded.
        TrainError: ``out`` is in the way or can't be made, or the readers are not of one base.
    """
    if len(readers) < 2:
        raise ValueError("a mean needs at least two readers")
    for name, share in readers.items():
        if not (share > 0 and isfinite(share)):
            raise ValueError(f"the share of {name} must be above 0, not {share}")
    TrainSettings(dev_questions=dev_questions, refused=refused)  # raises what a run would
    out = Path(out)
    check_out(out, resume=False)
    on_stage = progress or (lambda *_: None)
    sets = load_dev(dev, dev_questions)
    folders = {name: reader_folder(name) for name in readers}
    total = sum(readers.values())
    shares = {name: share / total for name, share in readers.items()}
    with TemporaryDirectory(prefix="docqa-average-") as work:
        made = Path(work) / "reader"
        _write_mean([(folders[name], share) for name, share in shares.items()], made)
        make_folder(state_folder(out))
        own = [AnswerSettings.of_reader(folder) for folder in folders.values()]
        AnswerSettings(
            headings=all(each.headings for each in own),
            languages=tuple(
                code for code in own[0].languages if all(code in each.languages for each in own)
            ),
        ).save(made / READER_SETTINGS)
        overall, scores = evaluate_sets(
            Reader(str(made), device=device),
            sets,
            stage_progress(on_stage, "asking dev questions"),
        )
        tuned = choose_settings(
            str(made), sets, device, stage_progress(on_stage, "choosing settings"), refused
        )
        tuned.settings.save(made / READER_SETTINGS)
        card = averaged_card(
            Averaged(
                tuple((n, shares[n], weights_sha256(f)) for n, f in folders.items()),
                tuple(DataFile.of(one.path, one.articles) for one in sets),
                tuple(scores),
                tuned,
                command,
            )
        )
        put_reader(made, card, out)
    return AverageReport(out, overall.exact_match, overall.f1, tuple(scores), tuned)


def _write_mean(parts: Sequence[tuple[Path, float]], folder: Path) -> None:
    """Write the mean of weights, with the configuration and the tokenizer of the first reader."""
    (first, share), *others = parts
    model = load_span_head(first, torch.float32)
    shapes, words = _shapes(model), load_fast_tokenizer(first).get_vocab()
    # What is not a weight, such as a table of positions, stays as the first reader has it.
    mean = {
        name: tensor * share
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
    for reader, share in others:
        part = load_span_head(reader, torch.float32)
        if _shapes(part) != shapes or load_fast_tokenizer(reader).get_vocab() != words:
            raise TrainError(f"{reader} and {first} are not of one base: their mean means nothing")
        weights = part.state_dict()
        for name, tensor in mean.items():
            tensor.add_(weights[name], alpha=share)
    model.load_state_dict(mean, strict=False)
    save_reader(model, first, PairEncoder(first, model).max_tokens, folder)


def _shapes(model: Any) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in model.state_dict().items()}
