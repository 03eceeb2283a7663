"""A fused linear layer gives what torch's own gives, with and without torch's fused operators."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from docqa.index.models import fused_linear
from docqa.index.models.fused_linear import FusedLinear


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_as_torch(dtype: torch.dtype, fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fused:
        monkeypatch.setattr(fused_linear, "_fused_works", lambda: False)
    torch.manual_seed(0)
    weight, bias = torch.randn(96, 64) / 8, torch.randn(96)
    x, other = torch.randn(10, 64), torch.randn(10, 96)
    expected = F.linear(x, weight, bias)
    fused_layer = FusedLinear(weight.to(dtype), bias.to(dtype))
    near = 1e-5 if dtype is torch.float32 else 0.05
    x, other_there = x.to(dtype), other.to(dtype)
    for found, right in (
        (fused_layer(x), expected),
        (fused_layer.gelu(x), F.gelu(expected)),
        (fused_layer.added(x, other_there), expected + other),
    ):
        torch.testing.assert_close(found.float(), right, rtol=near, atol=near)
    assert torch.equal(other_there, other.to(dtype))
