"""The sentences that answer a question, for questions that no single span answers.

A sentence's weight is the sum over all spans that begin in it of ``exp(S·T_i + E·T_j)``, with what
counts beside the score when spans of different windows are ranked; its share is that of all
sentences read for the question. So many places that are each a fair answer, as in a condition or a
list, count together, where the best span is one of them. Nothing is read or learned for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from docqa.evidence import EvidenceSentence
from docqa.ingest.document import Source
from docqa.ranking.null_rule import holds_no_answer
from docqa.ranking.rank import biases, ranked_by
from docqa.ranking.reading import Reading
from docqa.ranking.span_search import NO_SPAN, Place
from docqa.sentences import sentence_bounds

if TYPE_CHECKING:
    from docqa.settings import AnswerSettings

# Characters on either side of a window in which its first and last sentence may begin and end.
_AROUND = 600


def evidence_sentences(
    reading: Reading, settings: AnswerSettings, count: int
) -> list[EvidenceSentence]:
    """Return the ``count`` weightiest sentences; none where the reader holds there is no answer.

    A sentence that is seen through several windows counts once, with its greatest weight; so do
    copies of it in windows of the same text.

    Raises:
        ValueError: ``count`` below 1.
    """
    if count < 1:
        raise ValueError(f"at least one sentence is needed, not {count}")
    best = next(ranked_by(reading, settings), None)
    if best is None or holds_no_answer(reading.logits, best[0].score, settings):
        return []
    logits = reading.logits
    starting = starting_weights(
        logits.start, logits.end, logits.allowed, settings.max_answer_tokens
    )
    added = torch.tensor(biases(reading.hits, logits, settings), device=starting.device)
    values = (starting + added[:, None]).double().cpu().numpy()
    weights: dict[Place, float] = {}
    with reading.sources() as source_of:
        for hit, row in zip(reading.hits, values, strict=True):
            bounds = _bounds(source_of(hit.document_id), hit.start, hit.end)
            at = hit.window.token_offsets[:, 0] + hit.start
            for (start, end), weight in zip(bounds, _sums(row[: len(at)], at, bounds), strict=True):
                place = Place(hit.document_id, start, end)
                weights[place] = max(weight, weights.get(place, NO_SPAN))
        log_total = np.logaddexp.reduce(list(weights.values()))
        ranked = sorted(weights, key=lambda place: (-weights[place], place.document, place.start))
        found: list[EvidenceSentence] = []
        for place in ranked:
            sentence = EvidenceSentence.of(
                source_of(place.document),
                place.start,
                place.end,
                float(np.exp(weights[place] - log_total)),
            )
            if sentence.text not in {other.text for other in found}:
                found.append(sentence)
            if len(found) == count:
                break
    return found


def starting_weights(start: Tensor, end: Tensor, allowed: Tensor, max_answer_tokens: int) -> Tensor:
    """Return ``(windows, tokens)``: the log of the sum of ``exp(S·T_i + E·T_j)`` over each start.

    Args:
        start, end, allowed: ``(windows, tokens)``, as in :class:`docqa.ranking.span_search.Logits`.
    """
    tokens = start.shape[1]
    band = min(max_answer_tokens, tokens)
    ends = F.pad(end.masked_fill(~allowed, NO_SPAN), (0, band - 1), value=NO_SPAN)
    return start.masked_fill(~allowed, NO_SPAN) + ends.unfold(1, band, 1).logsumexp(2)


def _bounds(source: Source, start: int, end: int) -> list[tuple[int, int]]:
    """Return the sentences of a document that reach into ``[start, end)``."""
    low = max(0, start - _AROUND)
    around = source.slice(low, end + _AROUND)
    return [
        (low + first, low + last)
        for first, last in sentence_bounds(around)
        if low + last > start and low + first < end
    ]


def _sums(
    weights: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.int32],
    bounds: Sequence[tuple[int, int]],
) -> list[float]:
    """Return the log of the sum of the weights of the tokens in each sentence."""
    firsts = np.searchsorted(offsets, [start for start, _ in bounds])
    lasts = np.searchsorted(offsets, [end for _, end in bounds])
    return [
        float(np.logaddexp.reduce(weights[first:last])) if first < last else NO_SPAN
        for first, last in zip(firsts, lasts, strict=True)
    ]
