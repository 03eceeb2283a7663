"""One step of the optimiser: drawn questions in, their loss and its gradient, better weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch

from docqa.index.models.batches import batches
from docqa.index.models.device import pick_dtype
from docqa.model.packed_attention import pack_rows
from docqa.model.rows import PairEncoder
from docqa.model.span_head import row_logits
from docqa.training.batch import Batch, make_batches
from docqa.training.dropout import cheapen_dropout
from docqa.training.examples import Examples
from docqa.training.loss import distillation_loss, span_loss
from docqa.training.sampling import Drawn
from docqa.training.settings import TrainSettings
from docqa.training.teacher import TeacherLogits


class Stepper:
    """Takes steps with a model.

    Args:
        accelerator: of the ``accelerate`` package; the questions of a step are shared out over its
            processes.
        model: an encoder with a span head, in float32.
        optimizer: of its parameters, in groups of :func:`parameter_groups`.
        encoder: of its input.
        examples: that questions are drawn from.
        teacher: whose distributions are learned too.
    """

    def __init__(
        self,
        accelerator: Any,
        model: Any,
        optimizer: torch.optim.Optimizer,
        encoder: PairEncoder,
        examples: Examples,
        settings: TrainSettings,
        teacher: TeacherLogits | None,
    ) -> None:
        self._device = str(accelerator.device)
        kind = torch.device(self._device).type
        self._batch_tokens = batches(self._device).training_tokens
        self._autocast = torch.autocast(
            kind, torch.bfloat16, enabled=pick_dtype("auto", self._device) is torch.bfloat16
        )
        model.train()
        if kind == "cpu":
            cheapen_dropout(model)
        self._packed = pack_rows(model, kind)
        self._accelerator = accelerator
        self._encoder = encoder
        self._examples = examples
        self._settings = settings
        self._teacher = teacher
        self._model, self._optimizer = accelerator.prepare(model, optimizer)

    @property
    def model(self) -> Any:
        """Return the model with the weights as they are now."""
        return self._accelerator.unwrap_model(self._model)

    @property
    def optimizer(self) -> Any:
        """Return the optimiser, without what accelerate wraps around it."""
        return self._optimizer.optimizer

    @property
    def rate(self) -> float:
        """Return the learning rate of the last step."""
        return float(self._optimizer.param_groups[-1]["lr"])

    def take(self, drawn: Sequence[Drawn], rate: float) -> tuple[float, int]:
        """Take a step.

        Args:
            rate: the share of the peak learning rate.

        Returns:
            The mean loss, and how many tokens this process read.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = group["initial_lr"] * rate
        mine = drawn[self._accelerator.process_index :: self._accelerator.num_processes] or drawn
        batches = make_batches(
            mine, self._examples, self._encoder, self._settings.normalize, self._batch_tokens
        )
        # Gradients are averaged over the processes; so each loss is divided by the same number.
        groups = self._mean(sum(batch.groups for batch in batches))
        total = 0.0
        self._model.train()
        for batch in batches:
            last = batch is batches[-1]
            with nullcontext() if last else self._accelerator.no_sync(self._model):
                loss = self._loss(batch) / groups
                self._accelerator.backward(loss)
            total += float(loss.detach())
        self._accelerator.clip_grad_norm_(self._model.parameters(), self._settings.clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return self._mean(total), sum(batch.tokens for batch in batches)

    def _mean(self, value: float) -> float:
        """Return the mean of the processes' values."""
        mine = torch.tensor(value, dtype=torch.float32, device=self._device)
        return float(self._accelerator.reduce(mine, "mean"))

    def _loss(self, batch: Batch) -> torch.Tensor:
        """Return the sum of the losses of a batch's groups."""
        targets = batch.targets.to(self._device)
        with self._autocast:
            start, end = row_logits(
                self._model, self._encoder, batch.rows, self._device, self._packed
            )
        losses = span_loss(start, end, targets)
        if self._teacher is not None:
            teacher_start, teacher_end, taught = self._teacher.of(batch)
            taking = distillation_loss(
                start,
                end,
                teacher_start.to(self._device),
                teacher_end.to(self._device),
                targets,
            )
            weight = self._settings.teacher_weight * taught.to(self._device)
            losses = (1 - weight) * losses + weight * taking
        return losses.sum()
