"""A model's configuration and weights, read with safetensors alone.

Whatever is not understood is a :class:`NotPlainError`, and the model is loaded by its libraries,
which know it or say what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from docqa.index.models.fused_linear import FusedLinear

_WEIGHTS = "model.safetensors"
# With these beside it, the file is not the whole model.
_MORE = ("model.safetensors.index.json", "adapter_config.json")


class NotPlainError(Exception):
    """A model is more than docqa reads by itself."""


def read_json(file: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        NotPlainError: it is missing or no JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotPlainError(f"{file.name}: {error}") from error


def read_object(file: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        NotPlainError: it is missing or no JSON object.
    """
    held = read_json(file)
    if not isinstance(held, dict):
        raise NotPlainError(f"{file.name} holds no object")
    return held


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return a model's weights by name; they are mapped, and read when they are first needed.

    Raises:
        NotPlainError: they are not in one file of safetensors, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if any((folder / name).exists() for name in _MORE):
        raise NotPlainError("its weights are in several files")
    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise NotPlainError(f"{_WEIGHTS}: {error}") from error


class WeightFile:
    """Weights by name, with their shapes checked.

    Args:
        weights: by name.
        prefix: stands before all names that are asked for.
        dtype: what they are converted to.
    """

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, dtype: torch.dtype) -> None:
        self._weights = weights
        self._prefix = prefix
        self._dtype = dtype

    def stored(self, name: str, *shape: int) -> Tensor:
        """Return a weight in the file's own number format.

        Args:
            shape: what it must have; a matrix of any shape if not given.

        Raises:
            NotPlainError: there is no such weight, or it is of another shape, or of integers.
        """
        weight = self._weights.get(self._prefix + name)
        if weight is None:
            raise NotPlainError(f"no weight {self._prefix + name}")
        right = tuple(weight.shape) == shape if shape else weight.ndim == 2
        if not right or not weight.is_floating_point() or weight.element_size() < 2:
            raise NotPlainError(f"{self._prefix + name} is {weight.dtype} {tuple(weight.shape)}")
        return weight.detach()

    def converted(self, name: str, *shape: int) -> Tensor:
        """Return a weight in the format to compute in; see :meth:`stored`."""
        return self.stored(name, *shape).to(self._dtype)

    def pair(self, name: str, outputs: int, inputs: int) -> tuple[Tensor, Tensor]:
        """Return the weight and the bias of a linear layer."""
        return (
            self.converted(f"{name}.weight", outputs, inputs),
            self.converted(f"{name}.bias", outputs),
        )

    def linear(self, name: str, outputs: int, inputs: int) -> FusedLinear:
        """Return a linear layer."""
        return FusedLinear(*self.pair(name, outputs, inputs))

    def norm(self, name: str, width: int, epsilon: float) -> Callable[[Tensor], Tensor]:
        """Return a layer norm."""
        return partial(
            F.layer_norm,
            normalized_shape=(width,),
            weight=self.converted(f"{name}.weight", width),
            bias=self.converted(f"{name}.bias", width),
            eps=epsilon,
        )
