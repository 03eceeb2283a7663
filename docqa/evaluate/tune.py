"""The settings that suit a reader, chosen on data: what counts beside its scores, and "no answer".

Every question of a data set is asked of all its articles. What was read is kept, and all settings
are tried on the same logits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, product
from math import ceil, floor, inf, isfinite, isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docqa.errors import ModelError
from docqa.evaluate.evaluation import write_articles
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import DevSet, load_dev
from docqa.ingest.document import Source
from docqa.model.adapter import reader_folder
from docqa.qa import DocQA
from docqa.ranking.early_stopping import leads, windows_read
from docqa.ranking.evidence import Evidence
from docqa.ranking.null_rule import null_margin
from docqa.ranking.probability import Platt
from docqa.ranking.rank import rank, ranked_by
from docqa.ranking.reading import Reading, in_memory
from docqa.reader import text_document
from docqa.settings import READER_SETTINGS, AnswerSettings

_PRIOR_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_NULL_WEIGHTS = (0.0, 0.5, 1.0)
_LENGTH_WEIGHTS = (0.0, 0.05, 0.1, 0.2)
# What leaving candidates unread may cost in F1, from 0 to 1, and the margins that are tried.
_STOPPING_COSTS = 0.001
_STOP_MARGINS = [n / 2 for n in range(41)]
_TOGETHER = 64
# The share of the answerable questions that may get no answer: where there are unanswerable ones to
# find, and where there are none.
_REFUSED, _REFUSED_BLINDLY = 0.03, 0.01


@dataclass(frozen=True, slots=True)
class SetResult:
    """What a dev set's questions come to with the settings that were chosen.

    Every question is asked of all articles of its set, and every candidate is read.

    Attributes:
        name: of the set's file.
        answerable, unanswerable: how many questions were asked of each kind.
        exact_match, f1: of the first answers to the answerable ones, in per cent, were no answer
            held back.
        refused: the share of the answerable ones that get no answer, from 0 to 1.
        recognised: the share of the unanswerable ones that get no answer; None where there are
            none.
    """

    name: str
    answerable: int
    unanswerable: int
    exact_match: float
    f1: float
    refused: float
    recognised: float | None


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings that suit a reader, and how good it is with them.

    Attributes:
        settings: the best ones.
        f1: over the answerable questions of all sets in per cent, with all candidates read and no
            answer held back.
        pure_f1: the same with the pure maximum of all scores.
        read: how many of the ten candidates are read on the average with ``settings.stop_margin``.
        sets: how each dev set does with the settings.
    """

    settings: AnswerSettings
    f1: float
    pure_f1: float
    read: float
    sets: tuple[SetResult, ...]


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What :func:`tune` chose, and the file that it wrote."""

    file: Path
    tuned: Tuned


def tune(
    reader: str,
    dev: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    *,
    dev_questions: int = 1000,
    refused: float | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> TuneReport:
    """Choose the settings that suit a reader on data, and write them as JSON.

    Args:
        reader: a folder or hub name of a question-answering model.
        dev: a file in SQuAD's format, or several; of other articles than it was trained on.
        out: the file to write, for :meth:`AnswerSettings.from_file`; ``docqa.json`` in the
            reader's folder if not given.
        dev_questions: the most questions of each file that are asked.
        refused: the greatest share of the answerable questions that may get no answer, from 0 to
            1; 0.03 where some of the questions have no answer, else 0.01, if not given.
        device: where the reader runs.
        progress: gets how many steps have been taken, of how many.

    Example:
        >>> tune("my-reader", ["contracts-dev.json", "manuals-dev.json"]).tuned.settings

    Raises:
        ValueError: a number out of range; or the reader is no folder here, and ``out`` not given.
        DataError: a file can't be read as SQuAD's format, or no question has an answer.
        ModelError: the reader can't be loaded, or the file can't be written.
    """
    if dev_questions < 1:
        raise ValueError(f"dev_questions must be at least 1, not {dev_questions}")
    if out is None and not Path(reader).is_dir():
        raise ValueError(f"{reader} is no folder here: say which file to write (--out)")
    file = Path(reader, READER_SETTINGS) if out is None else Path(out)
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise ModelError(f"can't write {file}: give another file (--out)")
    sets = load_dev(dev, dev_questions)
    tuned = choose_settings(reader, sets, device, progress, refused)
    try:
        tuned.settings.save(file)
    except OSError as error:
        raise ModelError(f"can't write {file}: {error.strerror or error}") from error
    return TuneReport(file, tuned)


@dataclass(frozen=True, slots=True)
class _ReadQuestion:
    """A question of a dev set: everything that was read for it, and the annotators' answers."""

    set_number: int
    reading: Reading
    golds: Sequence[str]


def choose_settings(
    reader: str,
    sets: Sequence[DevSet],
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    refused: float | None = None,
) -> Tuned:
    """Choose the weights of ranking, ``null_threshold``, ``stop_margin`` and ``platt``.

    The weights are those of the best mean of exact match and F1 over all answerable questions,
    smaller ones on a tie: first those that set windows against each other, then that of length.
    The threshold is :func:`null_threshold`. Then come the smallest ``stop_margin`` that costs at
    most 0.1 points of F1, and the curve from confidence to probability at that margin, over all
    questions. ``max_answer_tokens`` and ``headings`` stay what they are in the reader's folder.

    Args:
        reader: its folder or hub name.
        sets: the questions; what was read for them is kept in memory.
        progress: gets how many steps have been taken, of how many: a question that was read is
            one, and so is a choice of weights that was tried.
        refused: as in :func:`tune`.

    Raises:
        ValueError: there is no answerable question, or ``refused`` is out of range.
        ModelError: the reader can't be loaded.
    """
    if not 0 <= (refused or 0) <= 1:
        raise ValueError(f"refused must be between 0 and 1, not {refused}")
    drawn = [each.question for one in sets for each in one.sampled()]
    if not any(question.answers for question in drawn):
        raise ValueError("there is no answerable question to choose settings by")
    own = AnswerSettings.of_reader(reader_folder(reader))
    plain = AnswerSettings(
        max_answer_tokens=own.max_answer_tokens,
        headings=own.headings,
        languages=own.languages,
        doubtful_below=own.doubtful_below,
    )
    grid = [
        replace(plain, prior_weight=prior, null_weight=null)
        for prior, null in product(_PRIOR_WEIGHTS, _NULL_WEIGHTS)
    ]
    steps = count(1)
    of = len(drawn) + len(grid) + len(_LENGTH_WEIGHTS)

    def step() -> None:
        done = next(steps)
        if progress is not None:
            progress(done, of)

    questions = [
        each
        for number, one in enumerate(sets)
        for each in _read_questions(reader, number, one, device, step)
    ]
    answerable = [each for each in questions if each.golds]

    @cache
    def measured(settings: AnswerSettings) -> tuple[float, float]:
        return _measured(answerable, settings)

    ranking = _best(grid, measured, step)
    ranking = _best([replace(ranking, length_weight=w) for w in _LENGTH_WEIGHTS], measured, step)
    margins = [margin(each.reading, ranking) for each in questions]
    threshold = null_threshold(
        [above for above, each in zip(margins, questions, strict=True) if each.golds],
        [above for above, each in zip(margins, questions, strict=True) if not each.golds],
        refused,
    )
    stopped = [_after_each_group(each.reading, ranking, each.golds) for each in questions]
    stop_margin = _stop_margin(
        [groups for groups, each in zip(stopped, questions, strict=True) if each.golds]
    )
    ends = [_end(groups, stop_margin) for groups in stopped]
    return Tuned(
        replace(
            ranking,
            null_threshold=threshold,
            stop_margin=stop_margin,
            platt=Platt.fit(
                [(end.confidence, end.margin) for end in ends], [end.right for end in ends]
            ),
        ),
        measured(ranking)[1],
        measured(replace(plain, prior_weight=0.0))[1],
        sum(end.read for end in ends) / len(ends),
        tuple(
            _set_result(
                one.name,
                [
                    (each, above > threshold)
                    for each, above in zip(questions, margins, strict=True)
                    if each.set_number == number
                ],
                ranking,
            )
            for number, one in enumerate(sets)
        ),
    )


def null_threshold(
    answerable: Sequence[float], unanswerable: Sequence[float], refused: float | None = None
) -> float:
    """Return the threshold above which a question gets no answer.

    It recognises as many of the unanswerable questions as it can, while at most the share
    ``refused`` of the answerable ones get none; of the thresholds that do, it lies in the middle
    between the questions on both sides. Without unanswerable questions, it is the quantile of the
    answerable ones.

    Args:
        answerable, unanswerable: the margin of each question (:func:`margin`).
        refused: from 0 to 1; 0.03 where there are unanswerable questions, else 0.01, if None.

    Returns:
        ``inf`` where the model has no null score.
    """
    if not any(map(isfinite, answerable)) or -inf in answerable:
        return inf
    if refused is None:
        refused = _REFUSED if unanswerable else _REFUSED_BLINDLY
    if not unanswerable:
        quantile = float(np.quantile(answerable, 1 - refused))
        return inf if isnan(quantile) else round(quantile, 2)
    kept = len(answerable) - floor(refused * len(answerable) + 1e-9)
    lowest = sorted(answerable)[kept - 1] if kept else min(*answerable, *unanswerable) - 1
    above = [value for value in unanswerable if value > lowest]
    if not above:
        highest = max(*answerable, *unanswerable)
        return ceil(100 * highest) / 100 if isfinite(highest) else inf
    under = max(value for value in (*answerable, *unanswerable, lowest) if value < min(above))
    middle = (under + min(above)) / 2 if isfinite(min(above)) else under + 1
    return round(middle, 2) if under <= round(middle, 2) < min(above) else middle


def _set_result(
    name: str, questions: Sequence[tuple[_ReadQuestion, bool]], ranking: AnswerSettings
) -> SetResult:
    """Return a set's result; with each question comes whether it gets no answer."""
    answerable = [(each, none) for each, none in questions if each.golds]
    others = [none for each, none in questions if not each.golds]
    exact, overlap = _measured([each for each, _ in answerable], ranking)
    return SetResult(
        name,
        len(answerable),
        len(others),
        exact,
        overlap,
        sum(none for _, none in answerable) / max(len(answerable), 1),
        sum(others) / len(others) if others else None,
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
    """Return the group after which reading stops."""
    read = windows_read([(group.read, group.lead) for group in groups], stop_margin)
    return next(group for group in groups if group.read == read)


def _stop_margin(stopped: Sequence[Sequence[_Group]]) -> float:
    """Return the smallest margin that costs next to nothing; ``inf`` where none does."""
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
    """Return the settings with the best mean of exact match and F1; on a tie, smaller weights."""

    def worth(settings: AnswerSettings) -> tuple[float, float]:
        both = round(sum(measured(settings)), 6)
        step()
        weights = settings.prior_weight, settings.null_weight, settings.length_weight
        return both, -sum(weights)

    return max(tried, key=worth)


def _measured(questions: Sequence[_ReadQuestion], settings: AnswerSettings) -> tuple[float, float]:
    """Return exact match and F1 of the first answers, in per cent; 0 for no questions."""
    exact = overlap = 0.0
    for each in questions:
        found = rank(each.reading, settings, top_k=1)
        text = found[0].text if found else ""
        exact += best_over(exact_match, text, each.golds)
        overlap += best_over(f1, text, each.golds)
    return 100 * exact / max(len(questions), 1), 100 * overlap / max(len(questions), 1)


def _read_questions(
    reader: str, number: int, dev: DevSet, device: str, step: Callable[[], None]
) -> list[_ReadQuestion]:
    """Ask a set's questions of all its articles; return what was read, with its documents."""
    found: list[_ReadQuestion] = []
    questions = [drawn.question for drawn in dev.sampled()]
    with TemporaryDirectory(prefix="docqa-tune-") as folder:
        paths = write_articles(dev.articles, Path(folder) / "articles")
        texts = {str(path): article.text for path, article in zip(paths, dev.articles, strict=True)}
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
                    golds = [gold for gold, _ in question.answers]
                    found.append(_ReadQuestion(number, kept, golds))
                    step()
    return found


def _documents(paths: dict[int, str], texts: dict[str, str]) -> Callable[[int], Source]:
    """Return a function that gives articles by the ids of their documents."""
    return lambda document_id: text_document(texts[paths[document_id]])
