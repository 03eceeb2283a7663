"""Dropout that draws bytes."""

from __future__ import annotations

import pytest
import torch

from docqa.training.dropout import ByteDropout, cheapen_dropout


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_values_and_gradients_fall_out_together(share: float) -> None:
    torch.manual_seed(0)
    hidden = torch.ones(999, 101, requires_grad=True)
    out = ByteDropout(share)(hidden)
    out.sum().backward()
    assert float((out == 0).float().mean()) == pytest.approx(share, abs=0.01)
    assert float(out.detach().mean()) == pytest.approx(1.0, abs=0.01)
    assert hidden.grad is not None
    torch.testing.assert_close(hidden.grad, out.detach())
    columns = (out == 0).float().mean(dim=0)
    assert float((columns - share).abs().max()) < 0.1


def test_a_share_next_to_all_leaves_something() -> None:
    torch.manual_seed(0)
    out = ByteDropout(0.999)(torch.ones(999, 101))
    assert 0 < float((out != 0).float().mean()) < 0.01


def test_it_follows_the_seed() -> None:
    hidden = torch.ones(10, 10)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(ByteDropout(0.3)(hidden))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_only_training_drops() -> None:
    hidden = torch.ones(10, 10)
    assert ByteDropout(0.5).eval()(hidden) is hidden
    assert ByteDropout(0.0)(hidden) is hidden


def test_every_dropout_of_a_model_is_replaced() -> None:
    model = torch.nn.Sequential(
        torch.nn.Dropout(0.2), torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.4))
    )
    cheapen_dropout(model)
    dropouts = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    assert [type(each) for each in dropouts] == [ByteDropout, ByteDropout]
    assert [each.p for each in dropouts] == [0.2, 0.4]
