"""The settings that suit a reader, chosen on data: what counts beside its scores, and "no answer".

Every question of a data set is asked of all its articles. What was read is kept, and all settings
are tried on the same logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docqa.choose import Reading, choose
from docqa.evaluate.metrics import best_over, f1
from docqa.evaluate.run import write_articles
from docqa.evaluate.squad import Article, Question, sampled
from docqa.gradual import leads, windows_read
from docqa.qa import DocQA
from docqa.settings import AnswerSettings
from docqa.spans import best_spans, null_score

_PRIOR_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_NULL_WEIGHTS = (0.0, 0.5, 1.0)
_SUPPORT_WEIGHTS = (0.0, 1.0)
# The share of answerable questions that must still get an answer.
ANSWERED = 0.99
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
) -> Tuned:
    """Choose the weights of ranking, and ``null_threshold``, for a reader.

    The weights are those of the best F1, smaller ones on a tie. The threshold is that at which 99%
    of the answerable questions still get an answer. Then the questions are asked again for the
    smallest ``stop_margin`` that costs at most 0.1 points of F1.

    Args:
        reader: its folder.
        limit: the most questions, drawn at random but the same each time.
        progress: told how many questions have been asked, of how many.

    Raises:
        ValueError: there is no answerable question.
    """
    grid = list(product(_PRIOR_WEIGHTS, _NULL_WEIGHTS, _SUPPORT_WEIGHTS))
    always = AnswerSettings()
    scores = dict.fromkeys(grid, 0.0)
    margins: list[float] = []
    with TemporaryDirectory(prefix="docqa-tune-") as folder:
        texts = [article.text for article in articles]
        write_articles(texts, Path(folder) / "articles")
        with closing(DocQA(Path(folder) / "index", reader=reader, device=device)) as qa:
            qa.index([Path(folder) / "articles"])
            for question, reading in _readings(qa, articles, limit, progress):
                golds = [text for text, _ in question.answers]
                for prior, null, support in grid:
                    tried = replace(
                        always, prior_weight=prior, null_weight=null, support_weight=support
                    )
                    scores[prior, null, support] += _value(reading, tried, golds)
                margins.append(margin(reading, always))
            if not margins:
                raise ValueError("there is no answerable question to choose settings by")
            best = max(grid, key=lambda weights: (round(scores[weights], 6), -sum(weights)))
            chosen = AnswerSettings(
                prior_weight=best[0],
                null_weight=best[1],
                support_weight=best[2],
                null_threshold=round(float(np.quantile(margins, ANSWERED)), 2),
            )
            stop_margin, read = _stop_margin(
                _readings(qa, articles, limit, progress), replace(chosen, null_threshold=inf)
            )
    asked = len(margins)
    return Tuned(
        replace(chosen, stop_margin=stop_margin),
        100 * scores[best] / asked,
        100 * scores[0.0, 0.0, 0.0] / asked,
        read,
    )


def _stop_margin(
    readings: Iterable[tuple[Question, Reading]], settings: AnswerSettings
) -> tuple[float, float]:
    """The margin, and how many windows are read with it on the average."""
    scores = dict.fromkeys(_STOP_MARGINS, 0.0)
    reads = dict.fromkeys(_STOP_MARGINS, 0)
    everything, total, asked = 0.0, 0, 0
    for question, reading in readings:
        golds = [text for text, _ in question.answers]
        asked += 1
        total += len(reading.passages)
        ends = leads(reading, replace(settings, stop_margin=_STOP_MARGINS[0]))
        values = {count: _value(reading.first(count), settings, golds) for count, _ in ends}
        for stop_margin in _STOP_MARGINS:
            count = windows_read(ends, stop_margin)
            scores[stop_margin] += values[count]
            reads[stop_margin] += count
        everything += values[len(reading.passages)]
    for stop_margin in _STOP_MARGINS:
        if scores[stop_margin] >= everything - _STOPPING_COSTS * asked:
            return stop_margin, reads[stop_margin] / asked
    return inf, total / asked


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
