"""Two ways of asking a data set's questions: each of its own paragraph, or all of all articles."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docqa.answer import Answer
from docqa.evaluate.metrics import best_over, exact_match, f1
from docqa.evaluate.squad import Article, DevSet, Question, sampled
from docqa.evaluate.wrong_answers import WrongAnswers
from docqa.index.hit import Hit
from docqa.ingest.windows import WindowSettings
from docqa.qa import DocQA
from docqa.ranking.rank import rank
from docqa.reader import Reader, text_document

# Questions that are asked together.
_TOGETHER = 64
# What of an article's title its file is named by: words (of at most four bytes a letter).
_NO_WORD = re.compile(r"[\W_]+")
_LONGEST_NAME = 60

OnProgress = Callable[[int, int], None]


@dataclass
class Scores:
    """Sums over questions, and their means as :meth:`summary`."""

    questions: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, **measures: float) -> None:
        """Count one question."""
        self.questions += 1
        for name, value in measures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def summary(self) -> dict[str, Any]:
        """Return ``exact_match`` and ``f1`` in per cent, and other shares from 0 to 1."""
        count = max(self.questions, 1)
        means = {name: total / count for name, total in self.sums.items()}
        for name in ("exact_match", "f1"):
            means[name] = 100 * means.get(name, 0.0)
        return {
            "questions": self.questions,
            **{name: round(value, 4) for name, value in means.items()},
            "ms_per_question": round(1000 * self.seconds / count, 2),
        }


def evaluate_reader(
    reader: Reader,
    articles: Sequence[Article],
    limit: int | None = None,
    window: WindowSettings | None = None,
    progress: OnProgress | None = None,
    errors: WrongAnswers | None = None,
) -> Scores:
    """Ask each question of its own paragraph.

    Args:
        limit: the most questions, drawn at random but the same each time.
        errors: collects the questions answered wrongly.
        progress: gets how many questions have been asked, of how many.
    """
    pairs = [(one.question, one.paragraph.context) for one in sampled(articles, limit)]
    scores = Scores()
    for part in _parts(pairs):
        asked = [(question.text, text_document(context)) for question, context in part]
        began = time.perf_counter()
        readings = reader.readings(asked, window)
        answers = [rank(reading, reader.settings, top_k=1) for reading in readings]
        scores.seconds += time.perf_counter() - began
        for (question, context), reading, found in zip(part, readings, answers, strict=True):
            _check(found, context)
            scores.add(**_answer_measures(question, found))
            if errors is not None:
                errors.add(question, reading, reader.settings, found, "", 0)
        if progress is not None:
            progress(scores.questions, len(pairs))
    return scores


@dataclass(frozen=True, slots=True)
class SetScores:
    """How a reader does on a dev set, each answerable question asked of its own paragraph.

    Attributes:
        name: of the set's file.
        questions: how many were asked.
        exact_match, f1: in per cent.
    """

    name: str
    questions: int
    exact_match: float
    f1: float


def evaluate_sets(
    reader: Reader, sets: Sequence[DevSet], progress: OnProgress | None = None
) -> tuple[SetScores, list[SetScores]]:
    """Ask the answerable questions of dev sets, each of its own paragraph.

    Args:
        progress: gets how many questions have been asked, of how many.

    Returns:
        The scores over all questions of all sets, and those of each set.
    """
    total = sum(bool(drawn.question.answers) for one in sets for drawn in one.sampled())
    done = 0

    def on_set_progress(questions: int, _: int) -> None:
        if progress is not None:
            progress(done + questions, total)

    found = []
    for one in sets:
        scores = evaluate_reader(reader, one.answerable(), progress=on_set_progress).summary()
        found.append(SetScores(one.name, scores["questions"], scores["exact_match"], scores["f1"]))
        done += found[-1].questions

    def mean(values: Iterable[float]) -> float:
        counted = zip(values, found, strict=True)
        return sum(value * scores.questions for value, scores in counted) / done

    overall = SetScores(
        "all", done, mean(scores.exact_match for scores in found), mean(s.f1 for s in found)
    )
    return overall, found


def evaluate_open(
    articles: Sequence[Article],
    make: Callable[[Path], DocQA],
    candidates: int = 10,
    limit: int | None = None,
    progress: OnProgress | None = None,
    errors: WrongAnswers | None = None,
) -> Scores:
    """Make each article one long document, index them all, and ask every question of all.

    Recall counts windows that hold an annotator's answer whole, where it was marked.

    Args:
        make: a DocQA for an index in the given folder.
        errors: collects the questions answered wrongly; every candidate is read for them.
    """
    with TemporaryDirectory(prefix="docqa-eval-") as folder:
        documents = Path(folder) / "articles"
        paths = write_articles(articles, documents)
        with make(Path(folder) / "index") as qa:
            report = qa.index([documents])
            if report.failed:
                raise AssertionError(f"an article could not be indexed: {report.failed[0]}")
            return ask_all(qa, articles, paths, candidates, limit, progress, errors)


def write_articles(articles: Sequence[Article], folder: Path) -> list[Path]:
    """Write articles as text files named by their titles, each in a folder of its own.

    Returns:
        The path of each article's file. There is none for an article without text.
    """
    folder.mkdir()
    paths = []
    for number, article in enumerate(articles):
        name = " ".join(_NO_WORD.sub(" ", article.title).split())[:_LONGEST_NAME]
        paths.append(folder / f"{number:05}" / f"{name or 'article'}.txt")
        if article.text.strip():
            paths[-1].parent.mkdir()
            paths[-1].write_text(article.text, encoding="utf-8", newline="")
    return paths


def ask_all(
    qa: DocQA,
    articles: Sequence[Article],
    paths: Sequence[Path],
    candidates: int,
    limit: int | None,
    progress: OnProgress | None,
    errors: WrongAnswers | None,
) -> Scores:
    """Ask the questions of articles that are indexed as the files of :func:`write_articles`."""
    drawn = [(str(paths[one.article]), one.start, one.question) for one in sampled(articles, limit)]
    texts = {str(path): article.text for path, article in zip(paths, articles, strict=True)}
    scores = Scores()
    for part in _parts(drawn):
        questions = [question.text for _, _, question in part]
        began = time.perf_counter()
        with qa.snapshot():
            hits = qa.search_many(questions, candidates)
            readings = qa.read_many(questions, hits, exhaustive=errors is not None)
            answers = [rank(reading, qa.settings, top_k=1) for reading in readings]
            scores.seconds += time.perf_counter() - began
            for (path, start, question), reading, offered, found in zip(
                part, readings, hits, answers, strict=True
            ):
                for answer in found:
                    _check([answer], texts[answer.document])
                scores.add(
                    **_answer_measures(question, found),
                    **_retrieval_measures(path, start, question, offered),
                    right_document=float(any(a.document == path for a in found)),
                )
                if errors is not None:
                    errors.add(question, reading, qa.settings, found, path, start)
        if progress is not None:
            progress(scores.questions, len(drawn))
    return scores


def _answer_measures(question: Question, answers: Sequence[Answer]) -> dict[str, float]:
    text = answers[0].text if answers else ""
    golds = [gold for gold, _ in question.answers]
    return {
        "exact_match": best_over(exact_match, text, golds),
        "f1": best_over(f1, text, golds),
        "answered": float(bool(answers)),
    }


def _retrieval_measures(
    path: str, paragraph_start: int, question: Question, hits: Sequence[Hit]
) -> dict[str, float]:
    marked = [
        (paragraph_start + start, paragraph_start + start + len(text))
        for text, start in question.answers
    ]
    holds = [
        hit.document == path and any(hit.start <= start and end <= hit.end for start, end in marked)
        for hit in hits
    ]
    return {f"recall@{k}": float(any(holds[:k])) for k in (1, 5, 10)}


def _check(answers: Sequence[Answer], text: str) -> None:
    """Check the promise that everything rests on: an answer is a slice of its source."""
    for answer in answers:
        if text[answer.start : answer.end] != answer.text:
            raise AssertionError(f"not the source's words at {answer.start}: {answer.text!r}")


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), _TOGETHER):
        yield items[first : first + _TOGETHER]
