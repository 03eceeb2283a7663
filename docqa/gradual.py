"""Reading no more than is needed: candidates in growing groups, until none unread can win.

Candidates come in the order of retrieval. The first few are read, then as many again as have been
read, and so on. After each group the best span's ranking value (``docqa.choose``) is held against
what retrieval alone gives the best window not read yet: where it is greater by more than
``stop_margin``, a number fitted on data (``docqa.evaluate.tune``), the rest is left unread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from docqa.choose import Passage, Reading, best_value
from docqa.settings import AnswerSettings
from docqa.span_model import Job
from docqa.spans import Logits, joined
from ingest.windows import IntArray

# Windows of the first group.
_FIRST = 3

Read = Callable[[Sequence[Job]], list[Logits]]


def read_until(read: int) -> int:
    """How many windows are to have been read after the group that follows the first ``read``."""
    return max(_FIRST, 2 * read)


def is_enough(passages: Sequence[Passage], logits: Logits, settings: AnswerSettings) -> bool:
    """Whether none of a question's passages that are unread can plausibly win.

    Args:
        passages: of the question, best first.
        logits: of those that have been read, the first ones.
    """
    read = len(logits.start)
    if read == len(passages):
        return True
    value = best_value(passages[:read], logits, settings)
    prior = settings.prior_weight * max(passage.retrieval_score for passage in passages[read:])
    return value - prior > settings.stop_margin


def windows_read(reading: Reading, settings: AnswerSettings) -> int:
    """How many windows would have been read, where all were."""
    read = 0
    while True:
        read = min(read_until(read), len(reading.passages))
        if is_enough(reading.passages, reading.logits.first(read), settings):
            return read


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
        read: reads jobs (:meth:`docqa.span_model.SpanModel.logits`).
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
            until = len(passages[n]) if settings.stop_margin == inf else read_until(counts[n])
            group = passages[n][counts[n] : until]
            jobs.append(Job(questions[n], [passage.window for passage in group]))
            counts[n] += len(group)
        for n, logits in zip(going, read(jobs), strict=True):
            found[n] = joined([found[n], logits]) if n in found else logits
        going = [n for n in going if not is_enough(passages[n], found[n], settings)]
    return [(row[: counts[n]], found[n]) for n, row in enumerate(passages)]
