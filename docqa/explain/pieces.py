"""A window's text in pieces, each with its probabilities and marks, for whatever shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from docqa.explain.explanation import Explanation, TokenScore, WindowExplanation


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of a window that share their tokens and marks.

    Attributes:
        text: as in the document.
        start_probability, end_probability: of the tokens that it is of, 0 for what is between.
        tokens: those tokens; more than one where a character is several tokens.
        span: which of the window's spans it is in, from 1; 0 for none.
        expected: whether it is in an expected answer.
    """

    text: str
    start_probability: float
    end_probability: float
    tokens: tuple[TokenScore, ...]
    span: int
    expected: bool


@dataclass(frozen=True, slots=True)
class Shades:
    """Probabilities as shades from 0 to 1, so that the greatest of all windows shown is 1.

    Shades grow with the square root: a tenth of the greatest probability can still be seen.
    """

    start: float
    end: float

    @classmethod
    def of(cls, explanation: Explanation) -> Shades:
        tokens = [token for window in explanation.windows for token in window.tokens]
        return cls(
            max((token.start_probability for token in tokens), default=0.0),
            max((token.end_probability for token in tokens), default=0.0),
        )

    def of_piece(self, piece: Piece) -> tuple[float, float]:
        """Return the shades of a piece for start and end."""
        return (
            min(1.0, sqrt(piece.start_probability / self.start)) if self.start else 0.0,
            min(1.0, sqrt(piece.end_probability / self.end)) if self.end else 0.0,
        )


def pieces(window: WindowExplanation) -> Iterator[Piece]:
    """Yield the whole text of a window, in order.

    Cut wherever a token, a span or an expected answer starts or ends; spans that were widened
    beyond the window end with it.
    """
    spans = [(span.start, span.end) for span in window.spans]
    tokens = [token for token in window.tokens if token.start < token.end]
    runs = [(token.start, token.end) for token in tokens] + spans + list(window.expected)
    edges = {min(max(edge, window.start), window.end) for run in runs for edge in run}
    cuts = sorted(edges | {window.start, window.end})
    at = {cut: n for n, cut in enumerate(cuts)}
    covering: list[list[TokenScore]] = [[] for _ in cuts]
    for token in tokens:
        for n in range(at[token.start], at[token.end]):
            covering[n].append(token)
    for n, (low, high) in enumerate(pairwise(cuts)):
        yield Piece(
            text=window.text[low - window.start : high - window.start],
            start_probability=sum(token.start_probability for token in covering[n]),
            end_probability=sum(token.end_probability for token in covering[n]),
            tokens=tuple(covering[n]),
            span=next((k for k, (a, b) in enumerate(spans, 1) if a <= low and high <= b), 0),
            expected=any(a <= low and high <= b for a, b in window.expected),
        )
