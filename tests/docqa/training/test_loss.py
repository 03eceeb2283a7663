"""The objective, against plain definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from docqa.training.loss import Targets, distillation_loss, group_logsumexp, span_loss


def targets(starts: list[list[int]], ends: list[list[int]], groups: list[int]) -> Targets:
    counted = torch.ones(len(starts), len(starts[0]), dtype=torch.bool)
    counted[:, -1] = False
    return Targets(
        torch.tensor(starts).bool(), torch.tensor(ends).bool(), counted, torch.tensor(groups)
    )


@pytest.fixture
def logits() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 4), torch.randn(3, 4)


def test_one_row_is_plain_cross_entropy(logits: tuple[Tensor, Tensor]) -> None:
    start, end = (side[:1] for side in logits)
    loss = span_loss(start, end, targets([[0, 1, 0, 0]], [[0, 0, 1, 0]], [0]))
    plain = -start[0, :3].log_softmax(0)[1] - end[0, :3].log_softmax(0)[2]
    torch.testing.assert_close(loss, plain.unsqueeze(0))


def test_rows_of_a_group_share_one_softmax(logits: tuple[Tensor, Tensor]) -> None:
    start, end = logits
    marks = [[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    loss = span_loss(start, end, targets(marks, marks, [0, 0, 1]))
    shared = start[:2, :3].flatten().log_softmax(0)[4] + end[:2, :3].flatten().log_softmax(0)[4]
    alone = start[2, :3].log_softmax(0)[0] + end[2, :3].log_softmax(0)[0]
    torch.testing.assert_close(loss, -torch.stack([shared, alone]))


def test_several_right_tokens_add_up(logits: tuple[Tensor, Tensor]) -> None:
    start, end = (side[:1] for side in logits)
    loss = span_loss(start, end, targets([[1, 0, 1, 0]], [[0, 1, 0, 0]], [0]))
    first, last = start[0, :3].softmax(0), end[0, :3].softmax(0)
    expected = -math.log(float(first[0] + first[2])) - math.log(float(last[1]))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_gradients_are_finite_and_none_where_nothing_counts(logits: tuple[Tensor, Tensor]) -> None:
    start, end = (side.clone().requires_grad_() for side in logits)
    marks = [[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    span_loss(start, end, targets(marks, marks, [0, 0, 1])).sum().backward()
    assert start.grad is not None
    assert torch.isfinite(start.grad).all()
    assert (start.grad[:, -1] == 0).all()
    assert (start.grad[:, :3] != 0).all()


def test_logsumexp_over_groups() -> None:
    values = torch.arange(6.0).reshape(3, 2)
    result = group_logsumexp(values, torch.tensor([0, 1, 0]))
    rows = values[[0, 2]].flatten().logsumexp(0)
    torch.testing.assert_close(result, torch.stack([rows, values[1].logsumexp(0)]))


def test_a_student_like_its_teacher_has_nothing_to_learn(logits: tuple[Tensor, Tensor]) -> None:
    start, end = (side.clone().requires_grad_() for side in logits)
    marks = [[0, 1, 0, 0]] * 3
    of = targets(marks, marks, [0, 0, 1])
    distillation_loss(start, end, logits[0] + 3.0, logits[1] - 1.0, of).sum().backward()
    assert start.grad is not None
    torch.testing.assert_close(start.grad, torch.zeros_like(start), atol=1e-6, rtol=0)


def test_a_teacher_without_a_token_gives_it_nothing(logits: tuple[Tensor, Tensor]) -> None:
    start, end = (side[:1] for side in logits)
    of = targets([[0, 1, 0, 0]], [[0, 1, 0, 0]], [0])
    sure = torch.tensor([[float("-inf"), 5.0, float("-inf"), float("-inf")]])
    loss = distillation_loss(start, end, sure, sure, of)
    plain = -start[0, :3].log_softmax(0)[1] - end[0, :3].log_softmax(0)[1]
    torch.testing.assert_close(loss, plain.unsqueeze(0))
