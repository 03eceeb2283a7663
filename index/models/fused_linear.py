"""A linear layer on a CPU together with what follows it, its weights laid out for oneDNN once.

torch lays bfloat16 weights out anew in each product, and walks over the result again for the
activation or for adding the residual. The operators that ``torch.compile`` puts in their place do
it in one go; they are called here as they are, since compiling takes longer than most questions.
They are not part of torch's public interface, so they are tried before they are used.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor


class FusedLinear:
    """``x W^T + b``, alone, with GELU, or added to something.

    Args:
        weight: ``(out, in)``, on the CPU.
        bias: ``(out,)``.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._fused = weight.dtype is torch.bfloat16 and _fused_works()
        weight = weight.detach()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self._fused else weight
        self._bias = bias.detach()

    def __call__(self, x: Tensor) -> Tensor:
        """Return the product ``(tokens, out)`` of ``(tokens, in)``."""
        return self._pointwise(x, "none") if self._fused else self._plain(x)

    def gelu(self, x: Tensor) -> Tensor:
        """Return GELU, by the error function, of the product."""
        return self._pointwise(x, "gelu") if self._fused else F.gelu(self._plain(x))

    def added(self, x: Tensor, to: Tensor) -> Tensor:
        """Return the sum ``(tokens, out)`` of the product and ``to``."""
        if not self._fused:
            return self._plain(x).add_(to)
        sum_: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            x, to, self._weight, self._bias, "add"
        )
        return sum_

    def _plain(self, x: Tensor) -> Tensor:
        return F.linear(x, self._weight, self._bias)

    def _pointwise(self, x: Tensor, after: str) -> Tensor:
        result: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, after, [], "none"
        )
        return result


@cache
def _fused_works() -> bool:
    """Return whether this torch has the operators and they compute rightly on this machine."""
    x = torch.ones(2, 32, dtype=torch.bfloat16)
    weight, bias = torch.eye(32, dtype=torch.bfloat16), torch.ones(32, dtype=torch.bfloat16)
    ops = torch.ops.mkldnn
    try:
        laid_out = ops._reorder_linear_weight(weight)
        plain = ops._linear_pointwise(x, laid_out, bias, "none", [], "none")
        gelu = ops._linear_pointwise(x, laid_out, bias, "gelu", [], "none")
        added = ops._linear_pointwise.binary(x, x, laid_out, bias, "add")
    except (AttributeError, TypeError, RuntimeError):
        return False
    two = torch.full((2, 32), 2.0, dtype=torch.bfloat16)
    return all(
        torch.allclose(found, expected, atol=0.02)
        for found, expected in ((plain, two), (gelu, F.gelu(two)), (added, two + 1))
    )
