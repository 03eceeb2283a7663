"""The probability that an answer is right: a curve fitted on data, over what its reading shows.

Nothing that the curve goes by changes with the number of windows read: an answer is as probable
whether ten windows were read beside it or fifty. So it looks at the answer's own window alone.

The logistic curve through what happened to many answers (Platt 1999, "Probabilistic outputs for
support vector machines", section 2) turns this into a number that can be held against the share of
right answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any

# Log confidences below this are taken for it.
_LOWEST = -50.0


@dataclass(frozen=True, slots=True)
class Platt:
    """``sigmoid(bias + confidence · log(confidence) + margin · (score - null score))``."""

    bias: float
    confidence: float
    margin: float

    @classmethod
    def of(cls, values: Any) -> Platt:
        """Make the curve with the three numbers of an object, by name.

        Raises:
            ValueError: one is missing, unknown, or no finite number.
        """
        names = cls.__dataclass_fields__.keys()
        if not isinstance(values, dict) or values.keys() != names:
            raise ValueError(f"platt must hold {', '.join(names)}, not {values!r}")
        for name, value in values.items():
            if type(value) not in (int, float) or not isfinite(value):
                raise ValueError(f"platt's {name} must be a number, not {value!r}")
        return cls(**values)

    @classmethod
    def fit(cls, answers: Sequence[tuple[float, float]], right: Sequence[bool]) -> Platt | None:
        """Return the curve of the greatest likelihood.

        Answers with an infinite number, of a model without a null score, do not count.

        Args:
            answers: the confidence and the margin of each, as :meth:`probability` takes them.
            right: whether it was.

        Returns:
            None where all answers that count are right, or all wrong, or there are none.
        """
        from sklearn.linear_model import LogisticRegression

        known = [
            (_features(*answer), good)
            for answer, good in zip(answers, right, strict=True)
            if all(map(isfinite, answer))
        ]
        if len({good for _, good in known}) < 2:
            return None
        found = LogisticRegression(C=1e4).fit(
            [features for features, _ in known], [good for _, good in known]
        )
        confidence, margin = found.coef_[0].tolist()
        return cls(*(round(v, 4) for v in (float(found.intercept_[0]), confidence, margin)))

    def probability(self, confidence: float, margin: float) -> float:
        """Return the probability that an answer is right.

        Args:
            confidence, margin: of the answer, as :meth:`docqa.ranking.evidence.Evidence.of`
                returns them.
        """
        log_confidence, margin = _features(confidence, margin)
        value = self.bias + self.confidence * log_confidence + self.margin * margin
        return 1 / (1 + exp(-value)) if value > _LOWEST else 0.0


def _features(confidence: float, margin: float) -> tuple[float, float]:
    return (max(log(confidence), _LOWEST) if confidence > 0 else _LOWEST), margin
