"""Span search: the best ``S·T_i + E·T_j`` over all windows and all allowed spans.

Pure functions on tensors; nothing here knows of models, files or text. The score of a span is the
sum of its start and its end logit, not normalised inside its window (Devlin et al. 2019, section
4.2), so that spans of different windows can be compared (Clark and Gardner 2018, section 3).
All functions run on the device where the logits are.

Shapes: ``(windows, tokens)`` throughout, windows shorter than the longest padded on the right.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from docqa.ingest.windows import IntArray

NO_SPAN = float("-inf")
# Of one reading; more than any text but a table of numbers has.
_MOST_DEMOTED = 50

# Of a window's number and a span's first and last token: the first token in it that no span reaches
# from before; None where there is none.
Barrier = Callable[[int, int, int], int | None]


@dataclass(frozen=True, slots=True)
class Demotion:
    """Which spans rank lower than their score says, and by how much.

    Attributes:
        concerns: of a window's number and a span's first and last token: whether that span does.
        margin: what its ranking value loses.
    """

    concerns: Callable[[int, int, int], bool]
    margin: float


@dataclass(frozen=True, slots=True)
class Logits:
    """A reader's logits for the windows read for one question.

    Attributes:
        start: ``(windows, tokens)`` float32, ``S·T_i`` of each token of each window's text.
        end: ``(windows, tokens)`` float32, ``E·T_j``.
        allowed: ``(windows, tokens)`` bool, False where there is padding or no text.
        null_start: ``(windows,)`` ``S·T_CLS``, ``-inf`` where the model has no such token.
        null_end: ``(windows,)`` ``E·T_CLS``.
    """

    start: Tensor
    end: Tensor
    allowed: Tensor
    null_start: Tensor
    null_end: Tensor

    def first(self, count: int) -> Logits:
        """Return the logits of the first windows."""
        return Logits(
            self.start[:count],
            self.end[:count],
            self.allowed[:count],
            self.null_start[:count],
            self.null_end[:count],
        )


def joined(parts: Sequence[Logits]) -> Logits:
    """Join the logits of several groups of windows, padded to the widest."""
    widest = max(part.start.shape[1] for part in parts)

    def rows(tensors: Sequence[Tensor], value: float | bool) -> Tensor:
        return torch.cat([F.pad(t, (0, widest - t.shape[1]), value=value) for t in tensors])

    return Logits(
        rows([part.start for part in parts], NO_SPAN),
        rows([part.end for part in parts], NO_SPAN),
        rows([part.allowed for part in parts], False),
        torch.cat([part.null_start for part in parts]),
        torch.cat([part.null_end for part in parts]),
    )


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Tokens ``first`` to ``last`` (both included) of a window, and its ``S·T_i + E·T_j``."""

    window: int
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span stands: a document (any key) and ``[start, end)`` in it."""

    document: int
    start: int
    end: int

    def overlaps(self, other: Place) -> bool:
        return self.document == other.document and self.start < other.end and other.start < self.end


def best_spans(
    start: Tensor,
    end: Tensor,
    allowed: Tensor,
    max_answer_tokens: int,
    length_penalties: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the best span of each window.

    For each end the best start among the last ``max_answer_tokens`` tokens is a running maximum
    over a band, so no ``tokens x tokens`` matrix is ever built.

    Args:
        start, end: ``(windows, tokens)`` logits.
        allowed: ``(windows, tokens)`` tokens that may begin and end a span.
        max_answer_tokens: the most tokens in a span, at least 1.
        length_penalties: running totals (:func:`length_penalties`); None for no penalty.

    Returns:
        ``(values, firsts, lasts)``, each ``(windows,)``; the value is the score less the length
        penalty, and ``-inf`` for a window in which no span is allowed. On a tie the first end
        wins, then the first start.

    Raises:
        ValueError: ``max_answer_tokens`` below 1.
    """
    if max_answer_tokens < 1:
        raise ValueError(f"an answer needs at least one token, not {max_answer_tokens}")
    windows, tokens = start.shape
    if windows == 0 or tokens == 0:
        none = torch.zeros(windows, dtype=torch.long, device=start.device)
        return torch.full((windows,), NO_SPAN, device=start.device), none, none
    band = min(max_answer_tokens, tokens)
    starts, ends = _penalized(start, end, allowed, length_penalties)
    padded = F.pad(starts, (band - 1, 0), value=NO_SPAN)
    best_start, index = F.max_pool1d(padded.unsqueeze(1), band, stride=1, return_indices=True)
    values, lasts = (best_start.squeeze(1) + ends).max(dim=1)
    firsts = index.squeeze(1).gather(1, lasts.unsqueeze(1)).squeeze(1) - (band - 1)
    return values, firsts, lasts


def top_spans(
    start: Tensor,
    end: Tensor,
    allowed: Tensor,
    max_answer_tokens: int,
    k: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the ``k`` best spans of each window by their score, overlapping ones too.

    Returns:
        ``(values, firsts, lasts)`` as :func:`best_spans` has them, each ``(windows, k)``, best
        first; values are ``-inf`` where a window has fewer spans.
    """
    windows, tokens = start.shape
    if windows == 0 or tokens == 0:
        none = torch.zeros(windows, 0, dtype=torch.long, device=start.device)
        return none.float(), none, none
    band = min(max_answer_tokens, tokens)
    starts, ends = _penalized(start, end, allowed, None)
    # (windows, tokens, band): the end logits of the tokens from each token on
    ends_from = F.pad(ends, (0, band - 1), value=NO_SPAN).unfold(1, band, 1)
    values = (starts.unsqueeze(2) + ends_from).reshape(windows, tokens * band)
    best, index = values.topk(min(k, tokens * band), dim=1)
    firsts = index // band
    return best, firsts, firsts + index % band


def length_penalties(
    offsets: Sequence[IntArray], like: Tensor, length_weight: float
) -> Tensor | None:
    """Return the length penalty as a running total over the tokens of each window.

    The penalty of a span is the total at its last token less that at its first: ``length_weight``
    for each word after its first. Words are what stands between gaps in the offsets, so that a name
    of many tokens (``BASH_XTRACEFD``) is one.

    Args:
        offsets: each window's ``(tokens, 2)`` token offsets.
        like: a ``(windows, tokens)`` tensor on the device where the total is wanted.

    Returns:
        ``(windows, tokens)``, or None where the weight is 0.
    """
    if not length_weight:
        return None
    words = np.zeros(like.shape, np.float32)
    for w, at in enumerate(offsets):
        words[w, 1 : len(at)] = np.cumsum(at[1:, 0] > at[:-1, 1])
    return torch.from_numpy(length_weight * words).to(like.device)


def length_penalty(penalties: Tensor | None, span: Span) -> float:
    """Return the length penalty of a span, 0 or more.

    Args:
        penalties: of all windows (:func:`length_penalties`).
    """
    if penalties is None:
        return 0.0
    return float(penalties[span.window, span.last] - penalties[span.window, span.first])


def _penalized(
    start: Tensor, end: Tensor, allowed: Tensor, penalties: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return logits whose sums are spans' values, ``-inf`` where nothing is allowed.

    What a start gains and an end loses is, in a sum, what lies between them; so the search over
    spans stays a search over two rows.
    """
    starts = start.float().masked_fill(~allowed, NO_SPAN)
    ends = end.float().masked_fill(~allowed, NO_SPAN)
    return (starts, ends) if penalties is None else (starts + penalties, ends - penalties)


def ranked_spans(
    logits: Logits,
    documents: Sequence[int],
    offsets: Sequence[IntArray],
    biases: Sequence[float],
    max_answer_tokens: int,
    length_penalties: Tensor | None = None,
    barrier: Barrier | None = None,
    demotion: Demotion | None = None,
) -> Iterator[tuple[Span, Place]]:
    """Yield the spans of all windows, best first, without those that overlap a better one.

    Spans are ranked by ``score + biases[window]``, less their length penalty. This is the greedy
    selection over *all* allowed spans: when a span is taken, the parts of the windows on its left
    and on its right are searched again, and so nothing that does not overlap it is lost.

    Args:
        logits: of all windows read for one question.
        documents: each window's document, as any number.
        offsets: each window's ``(tokens, 2)`` token offsets into its document.
        biases: added to the score of each window's spans, for the ranking only.
        max_answer_tokens: the most tokens in a span.
        length_penalties: running totals (:func:`length_penalties`); None for no penalty.
        barrier: finds the first token of a span before which no span goes on; None for no barriers.
        demotion: of single spans, which come later; those that overlap them may come before. None
            for none.

    Yields:
        ``(span, place)``; ``span.score`` is the pure ``S·T_i + E·T_j``.
    """
    search = _Search(logits, biases, max_answer_tokens, length_penalties)
    heap = list(search.of(0, len(logits.start), 0, logits.start.shape[1]))
    heapq.heapify(heap)
    taken: list[Place] = []
    demoted: dict[tuple[int, int, int], float] = {}
    searched: set[_Segment] = set()
    while heap:
        segment = heapq.heappop(heap)
        span = segment.span
        cut = None if barrier is None else barrier(span.window, span.first, span.last)
        if cut is not None:
            for low, high in ((segment.low, cut), (cut, segment.high)):
                for found in search.of(span.window, span.window + 1, low, high):
                    heapq.heappush(heap, found)
            continue
        tokens = (span.window, span.first, span.last)
        if (
            demotion is not None
            and tokens not in demoted
            and len(demoted) < _MOST_DEMOTED
            and demotion.concerns(*tokens)
        ):
            demoted[tokens] = segment.rank + demotion.margin
            heapq.heappush(heap, replace(segment, rank=demoted[tokens]))
        if segment.rank < demoted.get(tokens, NO_SPAN):  # its turn is later
            # All other spans end before its last token, or begin after its first, or hold it.
            parts = ((segment.low, span.last), (span.first + 1, segment.high))
            for found in chain(
                search.around(segment),
                *(search.of(span.window, span.window + 1, *part) for part in parts),
            ):
                if found not in searched:
                    searched.add(found)
                    heapq.heappush(heap, found)
            continue
        at = offsets[span.window]
        place = Place(documents[span.window], int(at[span.first, 0]), int(at[span.last, 1]))
        blocked = next((better for better in taken if place.overlaps(better)), None)
        if blocked is None:
            yield span, place
            taken.append(place)
            blocked = place
        covered = np.flatnonzero((at[:, 0] < blocked.end) & (at[:, 1] > blocked.start))
        if len(covered):
            cut_low, cut_high = int(covered[0]), int(covered[-1]) + 1
        else:  # the better one lies between two tokens of this window
            after = int(np.searchsorted(at[:, 0], blocked.start))
            cut_low = cut_high = min(max(after, span.first + 1), span.last)
        for low, high in ((segment.low, cut_low), (cut_high, segment.high)):
            for found in search.of(span.window, span.window + 1, low, high):
                heapq.heappush(heap, found)


def log_normalizers(logits: Logits) -> tuple[float, float]:
    """Return the logarithms of the softmax denominators of start and end.

    Taken over all text tokens of all windows of the question and their CLS, so that
    ``exp(score - log_start - log_end)`` is ``P_start · P_end`` over the whole reading (shared
    normalisation, Clark and Gardner 2018).
    """

    def total(values: Tensor, null: Tensor) -> float:
        counted = values.masked_fill(~logits.allowed, NO_SPAN)
        return float(torch.cat([counted.flatten(), null]).logsumexp(0))

    return total(logits.start, logits.null_start), total(logits.end, logits.null_end)


@dataclass(frozen=True, slots=True, order=True)
class _Segment:
    """Tokens ``[low, high)`` of a window with their best span; orders by rank, best first."""

    rank: float
    span: Span
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks for the best spans of parts of windows."""

    logits: Logits
    biases: Sequence[float]
    max_answer_tokens: int
    length_penalties: Tensor | None

    def of(self, window: int, until: int, low: int, high: int) -> Iterator[_Segment]:
        """Tokens ``[low, high)`` of windows ``[window, until)``, where they hold a span."""
        if low >= high:
            return
        windows, tokens = slice(window, until), slice(low, high)
        start = self.logits.start[windows, tokens]
        end = self.logits.end[windows, tokens]
        values, firsts, lasts = best_spans(
            start,
            end,
            self.logits.allowed[windows, tokens],
            self.max_answer_tokens,
            None if self.length_penalties is None else self.length_penalties[windows, tokens],
        )
        # where a window holds no span, what is said to be its first token may be before it
        scores = start.gather(1, firsts.clamp(min=0)[:, None]) + end.gather(1, lasts[:, None])
        columns = (values, firsts, lasts, scores.squeeze(1))
        for w, (value, first, last, score) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True), window
        ):
            if value > NO_SPAN:
                span = Span(w, low + first, low + last, score)
                yield _Segment(-(value + self.biases[w]), span, low, high)

    def around(self, segment: _Segment) -> Iterator[_Segment]:
        """Yield a segment with the best of the spans that hold its best span and more."""
        span, longest = segment.span, self.max_answer_tokens
        before = slice(max(segment.low, span.last + 1 - longest), span.first + 1)
        after = slice(span.last, min(segment.high, span.first + longest))
        starts, ends = _penalized(
            self.logits.start[span.window],
            self.logits.end[span.window],
            self.logits.allowed[span.window],
            None if self.length_penalties is None else self.length_penalties[span.window],
        )
        values = starts[before, None] + ends[None, after]
        tokens = torch.arange(len(starts), device=values.device)
        values[tokens[None, after] - tokens[before, None] >= longest] = NO_SPAN
        values[-1, 0] = NO_SPAN  # the span itself
        value, at = values.flatten().max(dim=0)
        if value > NO_SPAN:
            first = before.start + int(at) // values.shape[1]
            last = after.start + int(at) % values.shape[1]
            score = self.logits.start[span.window, first] + self.logits.end[span.window, last]
            wider = Span(span.window, first, last, float(score))
            rank = -(float(value) + self.biases[span.window])
            yield _Segment(rank, wider, segment.low, segment.high)
