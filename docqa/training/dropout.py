"""Dropout whose random numbers don't cost a CPU more than the layers they are for."""

from __future__ import annotations

import torch
from torch import Tensor

_BYTES = torch.iinfo(torch.int64).bits // 8


class ByteDropout(torch.nn.Dropout):
    """Dropout (Srivastava et al. 2014) that draws one random byte for each value.

    torch draws a number a value, one after another; eight bytes come in the time of one number.
    The share that is dropped is rounded to a 256th, and is never all.
    """

    def forward(self, hidden: Tensor) -> Tensor:
        dropped = min(round(self.p * 256), 255)
        if not (self.training and dropped):
            return hidden
        words = torch.empty(-(-hidden.numel() // _BYTES), dtype=torch.int64)
        words.random_(torch.iinfo(torch.int64).min, None)
        kept = words.view(torch.uint8)[: hidden.numel()].view(hidden.shape) >= dropped
        return hidden * kept.to(hidden.dtype).mul_(256 / (256 - dropped))


def cheapen_dropout(model: torch.nn.Module) -> None:
    """Replace each dropout of a model that is trained on a CPU."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, ByteDropout(child.p))
