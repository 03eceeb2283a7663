"""What a run starts from: its folder, data and model, and what its questions are drawn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

from docqa.errors import TrainError
from docqa.evaluate.squad import Article, load_dev, load_squad
from docqa.index.models.device import Device, pick_device
from docqa.model.rows import PairEncoder
from docqa.training.card import Data, DataFile
from docqa.training.examples import TokenRange, make_examples
from docqa.training.model import base_folder, load_base, moving_average, parameter_groups
from docqa.training.negatives import hard_negatives
from docqa.training.progress import Tell, stage
from docqa.training.result import make_state_folder, state_folder
from docqa.training.sampling import Drawer
from docqa.training.settings import TrainSettings
from docqa.training.step import Stepper
from docqa.training.teacher import teacher_logits


@dataclass(frozen=True, slots=True)
class Ready:
    """A run before its first step.

    Attributes:
        name: what a checkpoint's run must have in common with the run that goes on with it.
        work: the folder of its state.
        base: the encoder's folder.
        encoder: of the model's input.
        average: of the weights, where one is kept; on the process that writes files.
        device: where the dev questions are asked.
        tell: told how far it has come; deaf on all processes but that one.
    """

    settings: TrainSettings
    name: str
    work: Path
    base: Path
    data: Data
    dev: list[Article]
    encoder: PairEncoder
    drawer: Drawer
    stepper: Stepper
    average: AveragedModel | None
    accelerator: Any
    device: str
    tell: Tell

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files."""
        return bool(self.accelerator.is_main_process)

    @property
    def weights(self) -> torch.nn.Module:
        """The model to be evaluated and kept, on the process that writes files."""
        return self.stepper.model if self.average is None else self.average.module

    @property
    def checkpoint(self) -> Path:
        """The file that says where the run stands."""
        return self.work / "checkpoint.pt"


def make_ready(
    train: Sequence[str | Path],
    dev: str | Path,
    out: Path,
    settings: TrainSettings,
    teacher: str | None,
    teacher_file: str | Path | None,
    device: Device,
    resume: bool,
    progress: Tell | None,
) -> Ready:
    """Read the files, load the model, look for negatives, let the teacher read.

    Args and errors are those of :func:`docqa.train`.
    """
    from accelerate import Accelerator

    place = pick_device(device)
    if place.startswith("cuda:"):
        torch.cuda.set_device(place)
    accelerator = Accelerator(mixed_precision="no", cpu=place == "cpu")
    is_main = accelerator.is_main_process
    tell = (is_main and progress) or (lambda *_: None)
    if is_main:
        make_state_folder(out, resume)
    work = state_folder(out)
    accelerator.wait_for_everyone()
    learned = [load_squad(file) for file in train]
    asked = load_dev(dev, settings.dev_questions)
    data = Data(tuple(map(DataFile.of, train, learned)), DataFile.of(dev, asked))
    base = base_folder(settings.base)
    model = load_base(base, settings)
    encoder = PairEncoder(base, model)
    articles = list(chain.from_iterable(learned))
    examples = make_examples(articles, encoder.tokenizer, stage(tell, "tokenizing"))
    if not len(examples):
        raise TrainError("the files to train on hold no questions")
    hard: list[list[TokenRange]] = [[] for _ in examples.examples]
    taught = None
    with accelerator.main_process_first():
        if settings.normalize == "question" and settings.negatives:
            told = stage(tell, "looking for hard negatives")
            hard = hard_negatives(examples, settings.window, work / "negatives.npz", told)
        if teacher is not None:
            file = Path(teacher_file) if teacher_file else work / "teacher.npz"
            told = stage(tell, "the teacher is reading")
            taught = teacher_logits(examples, teacher, place, file, told)
    optimizer = torch.optim.AdamW(
        parameter_groups(model, settings), lr=settings.learning_rate, fused=True
    )
    average = None
    if is_main:
        average = moving_average(model, optimizer, settings.ema_decay, accelerator.device)
    return Ready(
        settings=settings,
        name=_fingerprint(settings, data, teacher),
        work=work,
        base=base,
        data=data,
        dev=asked,
        encoder=encoder,
        drawer=Drawer(examples, settings, hard, encoder.template.special, encoder.max_tokens),
        stepper=Stepper(accelerator, model, optimizer, encoder, examples, settings, taught),
        average=average,
        accelerator=accelerator,
        device=place,
        tell=tell,
    )


def _fingerprint(settings: TrainSettings, data: Data, teacher: str | None) -> str:
    """What a checkpoint's run must have in common with the run that goes on with it."""
    parts = [asdict(settings), asdict(data), teacher]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
