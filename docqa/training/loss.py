"""The reader's objective: the negative log likelihood of start and end.

The sum over both of ``-log P`` (Devlin et al. 2019, section 4.2), where P is a softmax over one
window, or over all windows drawn for a question (shared normalisation, Clark and Gardner 2018,
section 3.2). Where several tokens are right (annotators differ, or the place is seen through two
windows) their probabilities are added up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Stands for log 0 and keeps gradients finite.
_NONE = -1e9


@dataclass(frozen=True, slots=True)
class Targets:
    """What is right, for rows of tokens.

    Attributes:
        starts, ends: ``(rows, tokens)`` bool, the tokens that begin and end an answer; CLS in
            rows that hold none and are normalised alone.
        counted: ``(rows, tokens)`` bool, the tokens over which the softmax goes.
        groups: ``(rows,)`` which rows are normalised together: numbers from 0 without gaps.
    """

    starts: Tensor
    ends: Tensor
    counted: Tensor
    groups: Tensor

    def to(self, device: str) -> Targets:
        """Return the targets on a device."""
        return Targets(
            self.starts.to(device),
            self.ends.to(device),
            self.counted.to(device),
            self.groups.to(device),
        )


def span_loss(start: Tensor, end: Tensor, targets: Targets) -> Tensor:
    """Return ``-log P_start - log P_end`` of each group.

    Args:
        start, end: ``(rows, tokens)`` logits.

    Returns:
        ``(groups,)`` float32.
    """
    return _nll(start, targets.starts, targets) + _nll(end, targets.ends, targets)


def _nll(logits: Tensor, gold: Tensor, targets: Targets) -> Tensor:
    right = logits.float().masked_fill(~gold, _NONE)
    counted = logits.float().masked_fill(~targets.counted, _NONE)
    return group_logsumexp(counted, targets.groups) - group_logsumexp(right, targets.groups)


def group_logsumexp(values: Tensor, groups: Tensor) -> Tensor:
    """Return ``log sum exp`` over all tokens of all rows of each group: ``(groups,)``."""
    rows = values.logsumexp(dim=1)
    total = int(groups.max()) + 1 if len(groups) else 0
    member = groups.unsqueeze(0) == torch.arange(total, device=groups.device).unsqueeze(1)
    return rows.unsqueeze(0).expand(total, -1).masked_fill(~member, _NONE).logsumexp(dim=1)


def distillation_loss(
    start: Tensor,
    end: Tensor,
    teacher_start: Tensor,
    teacher_end: Tensor,
    targets: Targets,
) -> Tensor:
    """Return the cross-entropy of the start and end distributions with a teacher's.

    The teacher's are the targets (Hinton et al. 2015, section 2, at a temperature of 1).

    Args:
        start, end: ``(rows, tokens)`` logits.
        teacher_start, teacher_end: ``(rows, tokens)`` the teacher's, ``-inf`` where it has none.

    Returns:
        ``(groups,)`` float32.
    """

    def one(logits: Tensor, teacher: Tensor) -> Tensor:
        cool = logits.float().masked_fill(~targets.counted, _NONE)
        known = teacher.float().clamp(min=_NONE)
        known = known.masked_fill(~targets.counted, _NONE)
        groups = targets.groups
        log_student = cool - group_logsumexp(cool, groups)[groups].unsqueeze(1)
        teaching = (known - group_logsumexp(known, groups)[groups].unsqueeze(1)).exp()
        rows = -(teaching * log_student.masked_fill(~targets.counted, 0.0)).sum(dim=1)
        total = torch.zeros(int(groups.max()) + 1, device=rows.device)
        return total.index_add(0, groups, rows)

    return one(start, teacher_start) + one(end, teacher_end)
