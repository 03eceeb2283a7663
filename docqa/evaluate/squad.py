"""SQuAD's data format, versions 1.1 and 2.0 (Rajpurkar et al. 2016, 2018)."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docqa.errors import DataError

# Paragraphs of one article, made into one document.
PARAGRAPH_BREAK = "\n\n"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what its annotators marked in the paragraph; nothing: unanswerable.

    ``answers`` are ``(text, start)``, offsets in code points into the paragraph's context.
    """

    id: str
    text: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    context: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Article:
    title: str
    paragraphs: tuple[Paragraph, ...]

    @property
    def text(self) -> str:
        """Return all paragraphs as one long document."""
        return PARAGRAPH_BREAK.join(paragraph.context for paragraph in self.paragraphs)

    def paragraph_starts(self) -> list[int]:
        """Return where each paragraph starts in :attr:`text`."""
        starts, at = [], 0
        for paragraph in self.paragraphs:
            starts.append(at)
            at += len(paragraph.context) + len(PARAGRAPH_BREAK)
        return starts


def load_squad(path: str | Path) -> list[Article]:
    """Read a SQuAD file, plain or gzipped.

    Raises:
        DataError: it is missing, or not in SQuAD's format.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"can't read {file}: {error.strerror or error}") from error
    try:
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
        return [_article(article) for article in json.loads(raw)["data"]]
    except (
        AttributeError, EOFError, KeyError, OSError, TypeError, ValueError, zlib.error
    ) as error:  # fmt: skip
        raise DataError(
            f"{file} is not in SQuAD's format ({type(error).__name__}: {error})"
        ) from error


@dataclass(frozen=True, slots=True)
class DevSet:
    """A file of questions by which weights and settings are chosen.

    Attributes:
        path: the file, as the user named it.
        articles: all of it.
        limit: the most questions that are asked (:func:`sampled`).
    """

    path: str
    articles: Sequence[Article]
    limit: int

    @property
    def name(self) -> str:
        """Return the file's name."""
        return Path(self.path).name

    def sampled(self) -> list[DrawnQuestion]:
        """Return the questions that are asked, in the articles' order."""
        return sampled(self.articles, self.limit)

    def answerable(self) -> list[Article]:
        """Return the articles with those of the questions asked that have an answer."""
        ids = {drawn.question.id for drawn in self.sampled() if drawn.question.answers}

        def kept(paragraph: Paragraph) -> Paragraph:
            questions = (question for question in paragraph.questions if question.id in ids)
            return replace(paragraph, questions=tuple(questions))

        return [
            replace(article, paragraphs=tuple(map(kept, article.paragraphs)))
            for article in self.articles
        ]


def load_dev(paths: str | Path | Sequence[str | Path], limit: int) -> list[DevSet]:
    """Read the files of questions by which weights and settings are chosen.

    Args:
        paths: a file, or several.
        limit: the most questions of each file that are asked.

    Raises:
        DataError: a file can't be read, holds no questions, or no question of any has an answer.
        ValueError: no file is given.
    """
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not paths:
        raise ValueError("give at least one file of dev questions")
    sets = [DevSet(str(path), load_squad(path), limit) for path in paths]
    for one in sets:
        if not one.sampled():
            raise DataError(f"{one.path} holds no questions")
    if not any(drawn.question.answers for one in sets for drawn in one.sampled()):
        names = ", ".join(one.path for one in sets)
        raise DataError(
            f"no question drawn from {names} has an answer: nothing can be chosen by it"
        )
    return sets


def sample(articles: Sequence[Article], limit: int | None) -> set[str]:
    """Return the ids of ``limit`` questions of all articles, the same ones each time; or of all."""
    ids = [
        question.id
        for article in articles
        for paragraph in article.paragraphs
        for question in paragraph.questions
    ]
    if limit is None or limit >= len(ids):
        return set(ids)
    return set(random.Random(0).sample(ids, limit))


@dataclass(frozen=True, slots=True)
class DrawnQuestion:
    """A question with where it belongs.

    Attributes:
        article: its number.
        start: where its paragraph starts in the article's text.
    """

    question: Question
    paragraph: Paragraph
    article: int
    start: int


def sampled(articles: Sequence[Article], limit: int | None) -> list[DrawnQuestion]:
    """Return ``limit`` questions of all articles (:func:`sample`), in the articles' order."""
    chosen = sample(articles, limit)
    return [
        DrawnQuestion(question, paragraph, number, start)
        for number, article in enumerate(articles)
        for start, paragraph in zip(article.paragraph_starts(), article.paragraphs, strict=True)
        for question in paragraph.questions
        if question.id in chosen
    ]


def _article(data: dict[str, Any]) -> Article:
    return Article(str(data.get("title", "")), tuple(map(_paragraph, data["paragraphs"])))


def _paragraph(data: dict[str, Any]) -> Paragraph:
    return Paragraph(str(data["context"]), tuple(map(_question, data["qas"])))


def _question(data: dict[str, Any]) -> Question:
    marked = [] if data.get("is_impossible") else data["answers"]
    answers = tuple((str(answer["text"]), int(answer["answer_start"])) for answer in marked)
    return Question(str(data["id"]), str(data["question"]), answers)
