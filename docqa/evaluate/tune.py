"""The settings that suit a reader, chosen on data: what counts beside its scores, and "no answer".

Every question of a data set is asked of all its articles. What was read is kept, and all settings
are tried on the same logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docqa.choose import Reading, choose
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.run import write_articles
from docqa.evaluate.squad import Article, Question, sampled
from docqa.gradual import leads, windows_read
from docqa.probability import Platt
from docqa.qa import DocQA
from docqa.settings import AnswerSettings
from docqa.spans import best_spans, null_score

_PRIOR_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_NULL_WEIGHTS = (0.0, 0.5, 1.0)
_SUPPORT_WEIGHTS = (0.0, 1.0)
_LENGTH_WEIGHTS = (0.0, 0.05, 0.1, 0.15)
# What leaving candidates unread may cost in F1, from 0 to 1, and the margins that are tried.
_STOPPING_COSTS = 0.001
_STOP_MARGINS = [n / 2 for n in range(41)]
_TOGETHER = 64


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
    """Choose the weights of ranking, and ``null_threshold``, for a reader.

    The weights are those of the best F1, smaller ones on a tie. The threshold is that at which the
    share ``answered`` of the answerable questions still get an answer. Then the questions are asked
    again for the smallest ``stop_margin`` that costs at most 0.1 points of F1, and for the curve
    from confidence to probability at that margin.

    Args:
        reader: its folder.
        limit: the most questions, drawn at random but the same each time.
        progress: told how many questions have been asked, of how many.
        answered: from 0 to 1.

    Raises:
        ValueError: there is no answerable question.
    """
    grid = [
        AnswerSettings(
            prior_weight=prior, null_weight=null, support_weight=support, length_weight=length
        )
        for prior, null, support, length in product(
            _PRIOR_WEIGHTS, _NULL_WEIGHTS, _SUPPORT_WEIGHTS, _LENGTH_WEIGHTS
        )
    ]
    pure = grid[0]
    scores = dict.fromkeys(grid, 0.0)
    margins: list[float] = []
    with TemporaryDirectory(prefix="docqa-tune-") as folder:
        texts = [article.text for article in articles]
        write_articles(texts, Path(folder) / "articles")
        with closing(DocQA(Path(folder) / "index", reader=reader, device=device)) as qa:
            qa.index([Path(folder) / "articles"])
            for question, reading in _readings(qa, articles, limit, progress):
                golds = [text for text, _ in question.answers]
                for tried in grid:
                    scores[tried] += _value(reading, tried, golds)
                margins.append(margin(reading, pure))
            if not margins:
                raise ValueError("there is no answerable question to choose settings by")
            best = max(grid, key=lambda tried: (round(scores[tried], 6), -_weight(tried)))
            chosen = replace(best, null_threshold=round(float(np.quantile(margins, answered)), 2))
            unrefused = replace(chosen, null_threshold=inf)
            stopped = [
                _after_each_group(reading, unrefused, [text for text, _ in question.answers])
                for question, reading in _readings(qa, articles, limit, progress)
            ]
    asked = len(margins)
    stop_margin = _stop_margin(stopped)
    ends = [_end(groups, stop_margin) for groups in stopped]
    platt = Platt.fit([(end.confidence, end.margin) for end in ends], [end.right for end in ends])
    return Tuned(
        replace(chosen, stop_margin=stop_margin, platt=platt),
        100 * scores[best] / asked,
        100 * scores[pure] / asked,
        sum(end.read for end in ends) / asked,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """What reading would come to, were it to stop after a group of windows.

    Attributes:
        read: how many windows until then.
        lead: of the best span (:func:`docqa.gradual.lead`).
        f1: of the first answer, from 0 to 1.
        right: whether it is an exact match.
        confidence, margin: of it, as :meth:`docqa.probability.Platt.probability` takes them.
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
        found = choose(part, settings, top_k=1)
        text = found[0].text if found else ""
        groups.append(
            _Group(
                read,
                lead,
                best_over(f1, text, golds),
                best_over(exact_match, text, golds) == 1,
                found[0].confidence if found else 0.0,
                found[0].score - null_score(part.logits) if found else 0.0,
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


def _weight(settings: AnswerSettings) -> float:
    """How far ranking is from the pure maximum."""
    weights = settings.prior_weight, settings.null_weight, settings.support_weight
    return sum(weights) + settings.length_weight


def _value(reading: Reading, settings: AnswerSettings, golds: Sequence[str]) -> float:
    """F1 of the first answer, from 0 to 1."""
    found = choose(reading, settings, top_k=1)
    return best_over(f1, found[0].text if found else "", golds)


def margin(reading: Reading, settings: AnswerSettings) -> float:
    """By how much the null score is above the best span's: the greater, the surer of no answer."""
    logits = reading.logits
    scores, _, _ = best_spans(logits.start, logits.end, logits.allowed, settings.max_answer_tokens)
    return null_score(logits) - float(scores.max())


def _readings(
    qa: DocQA,
    articles: Sequence[Article],
    limit: int | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[Question, Reading]]:
    asked = [one.question for one in sampled(articles, limit) if one.question.answers]
    for first in range(0, len(asked), _TOGETHER):
        part = asked[first : first + _TOGETHER]
        with qa.reading([question.text for question in part], exhaustive=True) as (readings, _, _):
            yield from zip(part, readings, strict=True)
        if progress is not None:
            progress(first + len(part), len(asked))
