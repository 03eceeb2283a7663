"""DocQA: an index and a reader behind a handful of methods."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.answer import Answer
from docqa.errors import IndexMissingError
from docqa.index.handle import OpenIndex
from docqa.ingest.windows import Window, WindowSettings
from docqa.settings import DEFAULT_INDEX, DEFAULT_READER, AnswerSettings

if TYPE_CHECKING:
    from docqa.explain.explanation import Explanation
    from docqa.index.build import BuildOptions, IndexReport, Progress
    from docqa.index.models.embedder import Embedder
    from docqa.index.search import Candidate
    from docqa.index.store import Store, StoredWindow
    from docqa.ingest.windows import IntArray
    from docqa.model.span_model import SpanModel
    from docqa.ranking.rank import Reading

# Reading stops early for the sake of the first answers; who wants more gets all that was found.
_FEW = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A window that the retriever found: ``[start, end)`` of a document.

    ``score`` is the sum of the z-scores of its cosine and its BM25: greater is better, and it
    compares only within the same question. ``text`` is the window's.
    """

    document: str
    start: int
    end: int
    page: int | None
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a question.

    Attributes:
        answers: best first; empty where the documents hold none.
        windows_read: how many windows went through the reader for it.
        hits: the windows the retriever chose, best first.
    """

    question: str
    answers: list[Answer]
    windows_read: int
    hits: list[Hit]


@dataclass
class Timings:
    """Seconds that a call spent, over all its questions."""

    retrieve: float = 0.0
    read: float = 0.0
    total: float = 0.0


class DocQA:
    """Questions to a folder of documents.

    Models are loaded when they are first needed and kept. An object may be used from several
    threads; calls take turns.

    Args:
        index: the index's folder; made by the first :meth:`index`.
        reader: a folder or hub name of a question-answering model; docqa's own if not given.
        embedder: a folder or hub name of a sentence-transformers model, or an object like
            :class:`docqa.index.models.embedder.Embedder`; the index's own if not given, for a new
            index all-MiniLM-L6-v2.
        window: size and overlap of windows; the index's own if not given.
        device: ``auto`` (CUDA, then MPS, then CPU) or what torch.device takes.
        dtype: of the reader: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        settings: how answers are chosen; the reader's own if not given.
    """

    def __init__(
        self,
        index: str | os.PathLike[str] = DEFAULT_INDEX,
        *,
        reader: str | None = None,
        embedder: str | Embedder | None = None,
        window: WindowSettings | None = None,
        device: str = "auto",
        dtype: str = "auto",
        settings: AnswerSettings | None = None,
    ) -> None:
        self._opened = OpenIndex(Path(index), embedder, window, device)
        self._reader_name = reader or DEFAULT_READER
        self._device = device
        self._dtype = dtype
        self._settings = settings
        self._turn = threading.RLock()

    # -- indexing ----------------------------------------------------------------------------

    def index(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: BuildOptions | None = None,
        progress: Progress | None = None,
    ) -> IndexReport:
        """Bring the index in line with files and folders, making it if there is none.

        Args:
            paths: files and folders; folders recursively.
            options: which files to take, and what each may cost.
            progress: told how far the run has come.

        Returns:
            What was added, changed, unchanged, removed, and what failed and why.

        Raises:
            IndexMismatchError: the index was made with another embedder or window size.
            IndexLockedError: another process is writing to it.
            ModelError: the embedder can't be loaded.
        """
        from docqa.index.build import BuildOptions, build, writer_lock

        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        with self._turn, writer_lock(self._opened.folder):
            try:
                store = self._opened.store()
            except IndexMissingError:
                from docqa.model.span_model import load_tokenizer

                store = self._opened.create(load_tokenizer(self._reader_name).to_str())
            embedder = self._opened.embedder(store)
            return build(store, embedder, paths, options or BuildOptions(), progress)

    def load(self) -> None:
        """Load now what :meth:`ask` would load with the first question.

        Raises:
            IndexMissingError: there is no index.
            IndexMismatchError: the index was made with another embedder or window size.
            ModelError: a model can't be loaded.
        """
        with self._turn, self._opened.snapshot() as (store, _):
            _ = self.model
            self._opened.embedder(store)

    # -- asking ------------------------------------------------------------------------------

    def ask(self, question: str, top_k: int = 3, candidates: int = 10) -> list[Answer]:
        """The best answers to a question, best first; empty where the documents hold none.

        Args:
            top_k: the most answers.
            candidates: how many windows the retriever hands to the reader. All are read for more
                than three answers; else no more than the reader's ``stop_margin`` asks for.

        Raises:
            QuestionError: the question is empty or too long.
            IndexMissingError: there is no index.
            IndexMismatchError: the index was made with another embedder or window size.
            ModelError: a model can't be loaded.
        """
        return self.ask_many([question], top_k, candidates)[0]

    def ask_many(
        self, questions: Sequence[str], top_k: int = 3, candidates: int = 10
    ) -> list[list[Answer]]:
        """:meth:`ask` for many questions, which the reader takes in common batches."""
        return [result.answers for result in self.results(questions, top_k, candidates)[0]]

    def results(
        self, questions: Sequence[str], top_k: int = 3, candidates: int = 10
    ) -> tuple[list[Result], Timings]:
        """:meth:`ask_many` with what was read and how long it took."""
        from docqa.ranking.rank import choose

        began = time.perf_counter()
        many = top_k > _FEW
        with self.reading(questions, candidates, exhaustive=many) as (readings, hits, timings):
            results = [
                Result(
                    reading.question,
                    choose(reading, self.settings, top_k),
                    len(reading.passages),
                    h,
                )
                for reading, h in zip(readings, hits, strict=True)
            ]
        timings.total = time.perf_counter() - began
        timings.read = timings.total - timings.retrieve
        return results, timings

    def explain(
        self,
        question: str,
        candidates: int = 10,
        top_k: int = 3,
        windows: int = 3,
        expected: str | None = None,
    ) -> Explanation:
        """Why :meth:`ask` answers a question as it does.

        Args:
            windows: how many windows to look at, best first.
            expected: the answer that is held to be right.

        Raises:
            ValueError: a number below 1, or ``expected`` empty.
        """
        from docqa.explain.run import explain_index

        return explain_index(
            self, question, candidates=candidates, top_k=top_k, windows=windows, expected=expected
        )

    @contextmanager
    def reading(
        self, questions: Sequence[str], candidates: int = 10, exhaustive: bool = False
    ) -> Iterator[tuple[list[Reading], list[list[Hit]], Timings]]:
        """What answers are chosen from, and the index held open to look at its documents.

        Args:
            exhaustive: whether every candidate is read, whatever the settings say.

        Yields:
            For each question what was read, and what the retriever offered; and how long that
            took.
        """
        from docqa.index.search import candidates as retrieve
        from docqa.ranking.early_stopping import read_gradually
        from docqa.ranking.rank import Passage, Reading

        began = time.perf_counter()
        timings = Timings()
        if not questions:
            yield [], [], timings
            return
        with self._turn:
            model = self.model
            ids = [model.question_ids(question) for question in questions]
            with self._opened.snapshot() as (store, searches):
                vectors = self._opened.embedder(store).questions(questions)
                found = retrieve(store, searches, questions, vectors, candidates)
                stored = [store.windows([c.window_id for c in chosen]) for chosen in found]
                timings.retrieve = time.perf_counter() - began
                same_tokens = store.settings.tokenizer == model.tokenizer.to_str()
                passages = [
                    [
                        Passage(
                            at.document_id,
                            window,
                            candidate.standing,
                            at.text[window.start - at.window.start : window.end - at.window.start],
                        )
                        for at, candidate in zip(row, chosen, strict=True)
                        for window in _reader_windows(model, at, question, same_tokens)
                    ]
                    for row, chosen, question in zip(stored, found, ids, strict=True)
                ]
                settings = self.settings
                if exhaustive:
                    settings = replace(settings, stop_margin=float("inf"))
                read = read_gradually(ids, passages, model.logits, settings)
                readings = [
                    Reading(question, row, logits, store.document)
                    for question, (row, logits) in zip(questions, read, strict=True)
                ]
                timings.read = time.perf_counter() - began - timings.retrieve
                timings.total = time.perf_counter() - began
                yield readings, [_hits(store, chosen) for chosen in found], timings

    def search(self, question: str, k: int = 10) -> list[Hit]:
        """Retrieval alone: the ``k`` best windows for a question.

        Raises:
            QuestionError: the question is empty.
            IndexMissingError: there is no index.
        """
        return self.search_many([question], k)[0]

    def search_many(self, questions: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """:meth:`search` for many questions."""
        from docqa.errors import QuestionError
        from docqa.index.search import candidates as retrieve

        if not all(question.strip() for question in questions):
            raise QuestionError("the question is empty")
        if not questions:
            return []
        with self._turn, self._opened.snapshot() as (store, searches):
            vectors = self._opened.embedder(store).questions(questions)
            found = retrieve(store, searches, questions, vectors, k)
            return [_hits(store, chosen) for chosen in found]

    @cached_property
    def model(self) -> SpanModel:
        """The reader's model, loaded when first asked for."""
        from docqa.model.span_model import SpanModel

        return SpanModel(self._reader_name, self._device, self._dtype)

    @property
    def settings(self) -> AnswerSettings:
        """How answers are chosen: as given, else the reader's own."""
        return self._settings or self.model.answer_settings

    def close(self) -> None:
        """Close the index's files; the object can be used again."""
        self._opened.close()


def _hits(store: Store, chosen: Sequence[Candidate]) -> list[Hit]:
    places = store.window_places([candidate.window_id for candidate in chosen])
    return [
        Hit(place.path, place.start, place.end, place.page, candidate.score, place.text)
        for place, candidate in zip(places, chosen, strict=True)
    ]


def _reader_windows(
    model: SpanModel, at: StoredWindow, question: IntArray, same_tokens: bool
) -> list[Window]:
    """A stored window as the reader takes it: its tokens as stored where they are the reader's."""
    if same_tokens:
        return model.fit(at.window, question)
    size = max(model.room(question), 16)
    return [
        replace(window, start=window.start + at.window.start, end=window.end + at.window.start)
        for window in model.windows(at.text, question, WindowSettings(size, size // 4))
    ]
