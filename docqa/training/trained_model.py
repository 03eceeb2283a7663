"""The model that is trained: an encoder with a span head, its parameters in groups, its files."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from docqa.errors import ModelError
from docqa.index.models.folders import DEFAULT_EMBEDDER, embedder_folder, load_quietly, model_folder
from docqa.index.models.tokenizer import load_fast_tokenizer
from docqa.training.settings import TrainSettings

# What is learned goes into the weights so many times.
_ADAPTER_SCALE = 2
# The folder of the adapter alone, beside the reader that it makes of its base.
ADAPTER = "adapter"
_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")


def base_folder(name: str) -> Path:
    """Return the folder of the encoder to start from; the default embedder's is in its package."""
    return embedder_folder(name)[0] if name == DEFAULT_EMBEDDER else model_folder(name)


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
            for name, share in zip(_DROPOUTS, (settings.dropout, 0.0), strict=True):
                setattr(config, name, share)
        model = AutoModelForQuestionAnswering.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't load {str(folder)!r} to train it: {error}") from error
    return _with_adapter(model, settings.adapter_rank) if settings.adapter_rank else model


def _with_adapter(model: Any, rank: int) -> Any:
    """Return a model whose matrices stay as they are, each with a low-rank adapter; the head too is trained."""
    from peft import LoraConfig, get_peft_model

    head = "qa_outputs"
    matrices = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name != head
    ]
    return get_peft_model(
        model,
        LoraConfig(
            r=rank,
            lora_alpha=_ADAPTER_SCALE * rank,
            target_modules=matrices,
            modules_to_save=[head],
        ),
    )


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


def save_reader(model: Any, base: Path, max_tokens: int, folder: Path) -> None:
    """Write the model in float16, and its tokenizer, as an ordinary Hugging Face folder.

    Its dropout is the base's again, for whoever fine-tunes it next.
    """
    from transformers import AutoConfig

    load_quietly()
    whole = copy.deepcopy(model)
    if hasattr(whole, "merge_and_unload"):
        adapter = copy.deepcopy(model).to("cpu", torch.float16)
        adapter.save_pretrained(folder / ADAPTER)
        whole = whole.merge_and_unload()
    half = whole.to("cpu", torch.float16)
    usual = AutoConfig.from_pretrained(base, local_files_only=True)
    for name in _DROPOUTS:
        if hasattr(usual, name):
            setattr(half.config, name, getattr(usual, name))
    half.save_pretrained(folder)
    tokenizer = load_fast_tokenizer(base)
    tokenizer.model_max_length = max_tokens
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)
