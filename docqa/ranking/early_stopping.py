"""Reading no more than is needed: hits in growing groups, until none unread can win.

Hits come in the order of the search. The first few are read, then as many again as have been read,
and so on. After each group the best span's ranking value (``ranking.rank``) is held against what
prominence alone gives the best hit not read yet: where it is greater by more than ``stop_margin``,
a number fitted on data (``docqa.evaluate.tune``), the rest is left unread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

from docqa.index.hit import Hit
from docqa.ingest.windows import IntArray
from docqa.ranking.rank import best_value
from docqa.ranking.reading import Job, Reading
from docqa.ranking.span_search import Logits, joined

if TYPE_CHECKING:
    from docqa.settings import AnswerSettings

# Windows of the first group.
_FIRST_GROUP = 3

ReadJobs = Callable[[Sequence[Job]], list[Logits]]


def read_until(read: int, total: int, settings: AnswerSettings) -> int:
    """Return how many windows to read in total after the next group.

    Args:
        read: how many have been read.
        total: how many there are.
    """
    return total if settings.stop_margin == inf else min(total, max(_FIRST_GROUP, 2 * read))


def lead(hits: Sequence[Hit], logits: Logits, settings: AnswerSettings) -> float:
    """Return how far the best span is ahead of what prominence gives the best unread hit.

    Args:
        hits: of the question, best first.
        logits: of those that have been read, the first ones.

    Returns:
        ``inf`` where all have been read.
    """
    read = len(logits.start)
    if read == len(hits):
        return inf
    value = best_value(hits[:read], logits, settings)
    return value - settings.prior_weight * max(hit.prominence for hit in hits[read:])


def leads(reading: Reading, settings: AnswerSettings) -> list[tuple[int, float]]:
    """Return, of a reading of all windows, how many there are after each group, and the lead."""
    hits, read = reading.hits, 0
    found: list[tuple[int, float]] = []
    while read < len(hits) or not found:
        read = read_until(read, len(hits), settings)
        found.append((read, lead(hits, reading.logits.first(read), settings)))
    return found


def windows_read(leads: Sequence[tuple[int, float]], stop_margin: float) -> int:
    """Return how many windows would have been read (:func:`leads`)."""
    return next((read for read, ahead in leads if ahead > stop_margin), leads[-1][0])


def read_gradually(
    questions: Sequence[IntArray],
    hits: Sequence[Sequence[Hit]],
    read: ReadJobs,
    settings: AnswerSettings,
) -> list[tuple[Sequence[Hit], Logits]]:
    """Read as many of each question's hits as it takes.

    Groups of all questions that are not done go to the reader together.

    Args:
        questions: token ids.
        hits: of each question, best first.
        read: reads jobs (:meth:`docqa.model.span_model.SpanModel.logits`).
        settings: of ranking; with a ``stop_margin`` of ``inf`` all is read, at once.

    Returns:
        For each question the hits that were read and their logits.
    """
    found: dict[int, Logits] = {}
    counts = [0] * len(questions)
    going = list(range(len(questions)))
    while going:
        jobs = []
        for n in going:
            until = read_until(counts[n], len(hits[n]), settings)
            group = hits[n][counts[n] : until]
            jobs.append(Job(questions[n], [hit.window for hit in group]))
            counts[n] = until
        for n, logits in zip(going, read(jobs), strict=True):
            found[n] = joined([found[n], logits]) if n in found else logits
        going = [
            n
            for n in going
            if counts[n] < len(hits[n])
            and lead(hits[n], found[n], settings) <= settings.stop_margin
        ]
    return [(row[: counts[n]], found[n]) for n, row in enumerate(hits)]
