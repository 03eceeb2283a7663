"""The model that is trained: an encoder with a span head, its parameters in groups, its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from docqa.errors import ModelError
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder, load_quietly
from docqa.model.adapter import reader_folder
from docqa.model.saved import DROPOUTS
from docqa.training.settings import TrainSettings


def base_folder(name: str) -> Path:
    """Return the folder of the encoder to start from; the default embedder's is in its package."""
    return embedder_folder(name)[0] if name == DEFAULT_EMBEDDER else reader_folder(name)


def load_base(folder: Path, settings: TrainSettings) -> Any:
    """Load an encoder in float32 with a span head, a new head where it has none.

    Raises:
        ModelError: it can't be loaded.
    """
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    load_quietly()
    torch.manual_seed(settings.seed)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if settings.dropout is not None:
            for name, share in zip(DROPOUTS, (settings.dropout, 0.0), strict=True):
                setattr(config, name, share)
        return AutoModelForQuestionAnswering.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't load {str(folder)!r} to train it: {error}") from error


def parameter_groups(model: torch.nn.Module, settings: TrainSettings) -> list[dict[str, Any]]:
    """Return the parameters for the optimiser: with weight decay, and without (biases, norms).

    ``initial_lr`` is the peak rate, as torch's own schedules name it; it stays when a checkpoint
    brings ``lr`` to where it was.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    peak = settings.learning_rate
    return [
        {"params": group, "lr": peak, "initial_lr": peak, "weight_decay": decay}
        for group, decay in (
            ([parameter for parameter in trained if parameter.ndim > 1], settings.weight_decay),
            ([parameter for parameter in trained if parameter.ndim <= 1], 0.0),
        )
    ]


def moving_average(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, decay: float, device: torch.device
) -> AveragedModel | None:
    """Return the exponential moving average of a model's weights, from the first step on.

    Args:
        optimizer: after each step of which it is brought up to date.
        decay: of which so much stays at each step; 0 for none.
        device: where the model will be trained.
    """
    if not decay:
        return None
    averaging = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(model, device, multi_avg_fn=averaging)
    optimizer.register_step_post_hook(lambda *_: average.update_parameters(model))
    return average
