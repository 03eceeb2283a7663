"""Reading no more than is needed: candidates in growing groups, until none unread can win.

Candidates come in the order of retrieval. The first few are read, then as many again as have been
read, and so on. After each group the best span's ranking value (``ranking.rank``) is held against
what retrieval alone gives the best window not read yet: where it is greater by more than
``stop_margin``, a number fitted on data (``docqa.evaluate.tune``), the rest is left unread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from docqa.ingest.windows import IntArray
from docqa.model.span_model import Job
from docqa.ranking.rank import Passage, Reading, best_value
from docqa.ranking.span_search import Logits, joined
from docqa.settings import AnswerSettings

# Windows of the first group.
_FIRST = 3

Read = Callable[[Sequence[Job]], list[Logits]]


def read_until(read: int, of: int, settings: AnswerSettings) -> int:
    """How many of so many windows are to have been read after the group that comes next."""
    return of if settings.stop_margin == inf else min(of, max(_FIRST, 2 * read))


def lead(passages: Sequence[Passage], logits: Logits, settings: AnswerSettings) -> float:
    """How far the best span is ahead of what retrieval gives the best unread passage.

    Args:
        passages: of the question, best first.
        logits: of those that have been read, the first ones.

    Returns:
        ``inf`` where all have been read.
    """
    read = len(logits.start)
    if read == len(passages):
        return inf
    value = best_value(passages[:read], logits, settings)
    return value - settings.prior_weight * max(p.retrieval_score for p in passages[read:])


def leads(reading: Reading, settings: AnswerSettings) -> list[tuple[int, float]]:
    """Of a reading of all windows: how many there are after each group, and the lead then."""
    passages, read = reading.passages, 0
    found: list[tuple[int, float]] = []
    while read < len(passages) or not found:
        read = read_until(read, len(passages), settings)
        found.append((read, lead(passages, reading.logits.first(read), settings)))
    return found


def windows_read(leads: Sequence[tuple[int, float]], stop_margin: float) -> int:
    """How many windows would have been read (:func:`leads`)."""
    return next((read for read, ahead in leads if ahead > stop_margin), leads[-1][0])


def read_gradually(
    questions: Sequence[IntArray],
    passages: Sequence[Sequence[Passage]],
    read: Read,
    settings: AnswerSettings,
) -> list[tuple[Sequence[Passage], Logits]]:
    """Read for each question as many of its passages as it takes.

    Groups of all questions that are not done go to the reader together.

    Args:
        questions: token ids.
        passages: of each question, best first.
        read: reads jobs (:meth:`docqa.model.span_model.SpanModel.logits`).
        settings: of ranking; with a ``stop_margin`` of ``inf`` all is read, at once.

    Returns:
        For each question the passages that were read and their logits.
    """
    found: dict[int, Logits] = {}
    counts = [0] * len(questions)
    going = list(range(len(questions)))
    while going:
        jobs = []
        for n in going:
            until = read_until(counts[n], len(passages[n]), settings)
            group = passages[n][counts[n] : until]
            jobs.append(Job(questions[n], [passage.window for passage in group]))
            counts[n] = until
        for n, logits in zip(going, read(jobs), strict=True):
            found[n] = joined([found[n], logits]) if n in found else logits
        going = [
            n
            for n in going
            if counts[n] < len(passages[n])
            and lead(passages[n], found[n], settings) <= settings.stop_margin
        ]
    return [(row[: counts[n]], found[n]) for n, row in enumerate(passages)]
