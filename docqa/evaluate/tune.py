"""The settings that suit a reader, chosen on data: what counts beside its scores, and "no answer".

Every question of a data set is asked of all its articles. What was read is kept, and all settings
are tried on the same logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, product
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.run import write_articles
from docqa.evaluate.squad import Article, Question, sampled
from docqa.ingest.document import Source
from docqa.qa import DocQA
from docqa.ranking.early_stopping import leads, windows_read
from docqa.ranking.evidence import Evidence
from docqa.ranking.null_rule import null_margin
from docqa.ranking.probability import Platt
from docqa.ranking.rank import rank, ranked_by
from docqa.ranking.reading import Reading, in_memory
from docqa.reader import text_document
from docqa.settings import AnswerSettings

_PRIOR_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_NULL_WEIGHTS = (0.0, 0.5, 1.0)
_LENGTH_WEIGHTS = (0.0, 0.05, 0.1, 0.2)
# What leaving candidates unread may cost in F1, from 0 to 1, and the margins that are tried.
_STOPPING_COSTS = 0.001
_STOP_MARGINS = [n / 2 for n in range(41)]
_TOGETHER = 64

# A question as everything that was read for it, and the annotators' answers.
_Asked = tuple[Reading, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings, and F1 in per cent with them and with the pure maximum.

    ``f1`` is with all candidates read; ``read`` is how many are on the average with
    ``settings.stop_margin``.
    """

    settings: AnswerSettings
    f1: float
    pure_f1: float
    read: float


def tune(
    reader: str,
    articles: Sequence[Article],
    limit: int | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    answered: float = 0.99,
) -> Tuned:
    """Choose the weights of ranking, ``null_threshold``, ``stop_margin`` and ``platt``.

    The weights are those of the best mean of exact match and F1, smaller ones on a tie: first those
    that set windows against each other, then that of length. The threshold is that at which the
    share ``answered`` of the answerable questions still get an answer. Then come the smallest
    ``stop_margin`` that costs at most 0.1 points of F1, and the curve from confidence to
    probability at that margin.

    Args:
        reader: its folder.
        limit: the most questions, drawn at random but the same each time; what was read for them
            is kept in memory.
        progress: told how many steps have been taken, of how many: a question that was read is
            one, and so is a choice of weights that was tried.
        answered: from 0 to 1.

    Raises:
        ValueError: there is no answerable question.
    """
    drawn = [one.question for one in sampled(articles, limit) if one.question.answers]
    if not drawn:
        raise ValueError("there is no answerable question to choose settings by")
    grid = [
        AnswerSettings(prior_weight=prior, null_weight=null)
        for prior, null in product(_PRIOR_WEIGHTS, _NULL_WEIGHTS)
    ]
    steps = count(1)
    of = len(drawn) + len(grid) + len(_LENGTH_WEIGHTS)

    def step() -> None:
        done = next(steps)
        if progress is not None:
            progress(done, of)

    asked = _asked(reader, articles, drawn, device, step)

    @cache
    def measured(settings: AnswerSettings) -> tuple[float, float]:
        return _measured(asked, settings)

    ranking = _best(grid, measured, step)
    ranking = _best([replace(ranking, length_weight=w) for w in _LENGTH_WEIGHTS], measured, step)
    margins = [margin(reading, ranking) for reading, _ in asked]
    stopped = [_after_each_group(reading, ranking, golds) for reading, golds in asked]
    stop_margin = _stop_margin(stopped)
    ends = [_end(groups, stop_margin) for groups in stopped]
    return Tuned(
        replace(
            ranking,
            null_threshold=round(float(np.quantile(margins, answered)), 2),
            stop_margin=stop_margin,
            platt=Platt.fit(
                [(end.confidence, end.margin) for end in ends], [end.right for end in ends]
            ),
        ),
        measured(ranking)[1],
        measured(grid[0])[1],
        sum(end.read for end in ends) / len(ends),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """What reading would come to, were it to stop after a group of windows.

    Attributes:
        read: how many windows until then.
        lead: of the best span (:func:`docqa.ranking.early_stopping.lead`).
        f1: of the first answer, from 0 to 1.
        right: whether it is an exact match.
        confidence, margin: of it, as :meth:`Platt.probability` takes them.
    """

    read: int
    lead: float
    f1: float
    right: bool
    confidence: float
    margin: float


def _after_each_group(
    reading: Reading, settings: AnswerSettings, golds: Sequence[str]
) -> list[_Group]:
    groups = []
    for read, lead in leads(reading, replace(settings, stop_margin=_STOP_MARGINS[0])):
        part = reading.first(read)
        found = rank(part, settings, top_k=1)
        text = found[0].text if found else ""
        first = next(ranked_by(part, settings), None)
        groups.append(
            _Group(
                read,
                lead,
                best_over(f1, text, golds),
                best_over(exact_match, text, golds) == 1,
                *(Evidence(part.logits).of(first[0]) if first else (0.0, 0.0)),
            )
        )
    return groups


def _end(groups: Sequence[_Group], stop_margin: float) -> _Group:
    """The group after which reading stops."""
    read = windows_read([(group.read, group.lead) for group in groups], stop_margin)
    return next(group for group in groups if group.read == read)


def _stop_margin(stopped: Sequence[Sequence[_Group]]) -> float:
    """The smallest margin that costs next to nothing; ``inf`` where none does."""
    everything = sum(groups[-1].f1 for groups in stopped) - _STOPPING_COSTS * len(stopped)
    for stop_margin in _STOP_MARGINS:
        if sum(_end(groups, stop_margin).f1 for groups in stopped) >= everything:
            return stop_margin
    return inf


def margin(reading: Reading, settings: AnswerSettings) -> float:
    """Return the null margin of the span that ranks first (:func:`null_rule.null_margin`)."""
    first = next(ranked_by(reading, settings), None)
    return inf if first is None else null_margin(reading.logits, first[0].score)


def _best(
    tried: Sequence[AnswerSettings],
    measured: Callable[[AnswerSettings], tuple[float, float]],
    step: Callable[[], None],
) -> AnswerSettings:
    """The settings of the best mean of exact match and F1; those with smaller weights on a tie."""

    def worth(settings: AnswerSettings) -> tuple[float, float]:
        both = round(sum(measured(settings)), 6)
        step()
        weights = settings.prior_weight, settings.null_weight, settings.length_weight
        return both, -sum(weights)

    return max(tried, key=worth)


def _measured(asked: Sequence[_Asked], settings: AnswerSettings) -> tuple[float, float]:
    """Exact match and F1 of the first answers, in per cent."""
    exact = overlap = 0.0
    for reading, golds in asked:
        found = rank(reading, settings, top_k=1)
        text = found[0].text if found else ""
        exact += best_over(exact_match, text, golds)
        overlap += best_over(f1, text, golds)
    return 100 * exact / len(asked), 100 * overlap / len(asked)


def _asked(
    reader: str,
    articles: Sequence[Article],
    questions: Sequence[Question],
    device: str,
    step: Callable[[], None],
) -> list[_Asked]:
    """Ask questions of all articles, and keep what was read, with the documents it is of."""
    asked: list[_Asked] = []
    with TemporaryDirectory(prefix="docqa-tune-") as folder:
        paths = write_articles([article.text for article in articles], Path(folder) / "articles")
        texts = {str(path): article.text for path, article in zip(paths, articles, strict=True)}
        with DocQA(Path(folder) / "index", reader=reader, device=device) as qa:
            qa.index([Path(folder) / "articles"])
            for first in range(0, len(questions), _TOGETHER):
                part = questions[first : first + _TOGETHER]
                wanted = [question.text for question in part]
                with qa.snapshot():
                    hits = qa.search_many(wanted)
                    readings = qa.read_many(wanted, hits, exhaustive=True)
                for question, reading in zip(part, readings, strict=True):
                    paths_of = {hit.document_id: hit.document for hit in reading.hits}
                    kept = replace(reading, sources=in_memory(_documents(paths_of, texts)))
                    asked.append((kept, [text for text, _ in question.answers]))
                    step()
    return asked


def _documents(paths: dict[int, str], texts: dict[str, str]) -> Callable[[int], Source]:
    """Return a function that gives articles by the ids of their documents."""
    return lambda document_id: text_document(texts[paths[document_id]])
