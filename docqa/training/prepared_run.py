"""A run before its first step: its folder, its data, its model, and where its windows come from."""

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

from docqa.errors import ModelError, TrainError
from docqa.evaluate.squad import DevSet, load_dev, load_squad
from docqa.index.models.device import Device, pick_device
from docqa.model.adapter import with_adapter
from docqa.model.rows import PairEncoder
from docqa.training.card import Data, DataFile
from docqa.training.checkpoint import check_run
from docqa.training.examples import TokenRange, make_examples
from docqa.training.hard_negatives import hard_negatives
from docqa.training.run_folder import check_out, checkpoint_file, make_folder, state_folder
from docqa.training.sampling import Drawer
from docqa.training.settings import TrainSettings
from docqa.training.stages import OnStage, stage_progress
from docqa.training.step import Stepper
from docqa.training.teacher import teacher_logits
from docqa.training.trained_model import base_folder, load_base, moving_average, parameter_groups


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run before its first step.

    Attributes:
        name: what a checkpoint's run must have in common with the run that goes on with it.
        out: the folder to write.
        base: the encoder's folder.
        dev: the questions by which the weights and the settings are chosen.
        encoder: of the model's input.
        average: of the weights, where one is kept; on the process that writes files.
        device: where the dev questions are asked.
        on_stage: gets how far the run has come; does nothing on the other processes.
    """

    settings: TrainSettings
    name: str
    out: Path
    base: Path
    data: Data
    dev: list[DevSet]
    encoder: PairEncoder
    drawer: Drawer
    stepper: Stepper
    average: AveragedModel | None
    accelerator: Any
    device: str
    on_stage: OnStage

    @property
    def is_main(self) -> bool:
        """Return whether this is the process that writes files."""
        return bool(self.accelerator.is_main_process)

    @property
    def weights(self) -> torch.nn.Module:
        """Return the model to be evaluated and kept, on the process that writes files."""
        return self.stepper.model if self.average is None else self.average.module

    @property
    def state(self) -> Path:
        """Return the folder of the run's state."""
        return state_folder(self.out)

    @property
    def checkpoint(self) -> Path:
        """Return the file that says where the run stands."""
        return checkpoint_file(self.out)


def prepare_run(
    train: Sequence[str | Path],
    dev: str | Path | Sequence[str | Path],
    out: Path,
    settings: TrainSettings,
    teacher: str | None,
    teacher_file: str | Path | None,
    device: Device,
    resume: bool,
    progress: OnStage | None,
) -> PreparedRun:
    """Read the files, load the model, look for negatives, let the teacher read.

    Nothing is written before files and model have been read, so that a wrong name leaves no folder.
    Args and errors are those of :func:`docqa.train`.
    """
    from accelerate import Accelerator

    place = pick_device(device)
    if place.startswith("cuda:"):
        torch.cuda.set_device(place)
    accelerator = Accelerator(mixed_precision="no", cpu=place == "cpu")
    is_main = accelerator.is_main_process
    on_stage = (is_main and progress) or (lambda *_: None)
    if is_main:
        check_out(out, resume)
    accelerator.wait_for_everyone()
    learned = [load_squad(file) for file in train]
    sets = load_dev(dev, settings.dev_questions)
    data = Data(
        tuple(map(DataFile.of, train, learned)),
        tuple(DataFile.of(one.path, one.articles) for one in sets),
    )
    run = _run_name(settings, data, teacher)
    if resume and checkpoint_file(out).exists():
        check_run(checkpoint_file(out), run)
    base = base_folder(settings.base)
    model = load_base(base, settings)
    encoder = PairEncoder(base, model)
    if encoder.cls_position(0, 0) is None:
        raise ModelError("a model without a CLS token can't learn where there is no answer")
    if settings.adapter_rank:
        model = with_adapter(model, settings.base, settings.adapter_rank)
    articles = list(chain.from_iterable(learned))
    examples = make_examples(articles, encoder.tokenizer, stage_progress(on_stage, "tokenizing"))
    if not len(examples):
        raise TrainError("the files to train on hold no questions")
    hard: list[list[TokenRange]] = [[] for _ in examples.examples]
    taught = None
    with accelerator.main_process_first():
        state = state_folder(out)
        make_folder(state)
        if settings.normalize == "question" and settings.negatives:
            hard = hard_negatives(
                examples,
                settings.window,
                state / "negatives.npz",
                stage_progress(on_stage, "looking for hard negatives"),
            )
        if teacher is not None:
            taught = teacher_logits(
                examples,
                teacher,
                place,
                Path(teacher_file) if teacher_file else state / "teacher.npz",
                stage_progress(on_stage, "the teacher is reading"),
            )
    optimizer = torch.optim.AdamW(
        parameter_groups(model, settings), lr=settings.learning_rate, fused=True
    )
    average = None
    if is_main:
        average = moving_average(model, optimizer, settings.ema_decay, accelerator.device)
    return PreparedRun(
        settings=settings,
        name=run,
        out=out,
        base=base,
        data=data,
        dev=sets,
        encoder=encoder,
        drawer=Drawer(examples, settings, hard, encoder.template.special, encoder.max_tokens),
        stepper=Stepper(accelerator, model, optimizer, encoder, examples, settings, taught),
        average=average,
        accelerator=accelerator,
        device=place,
        on_stage=on_stage,
    )


def _run_name(settings: TrainSettings, data: Data, teacher: str | None) -> str:
    """Return what a checkpoint's run must have in common with the run that goes on with it."""
    parts = [asdict(settings), asdict(data), teacher]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
