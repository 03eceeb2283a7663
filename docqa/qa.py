"""DocQA: an index and a reader behind a handful of methods.

Asking is three steps, each usable alone: :meth:`DocQA.search` (question to hits),
:meth:`DocQA.read` (hits to a reading, the model's logits) and
:func:`docqa.ranking.rank.rank` (a reading to answers).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.answer import Answer
from docqa.errors import IndexDamagedError, StorageError
from docqa.index.hit import Hit
from docqa.index.opened import AnyHandle, open_handle
from docqa.index.paths import is_collection
from docqa.index.searched import Searched
from docqa.ingest.windows import WindowSettings
from docqa.languages import LanguageNote, language_note
from docqa.question import check_question
from docqa.settings import DEFAULT_INDEX, DEFAULT_READER, AnswerSettings

if TYPE_CHECKING:
    from docqa.evidence import EvidenceSentence
    from docqa.explain.explanation import Explanation
    from docqa.index.build import BuildOptions, IndexReport, Progress
    from docqa.index.models.embedder import Embedder
    from docqa.index.opened import AnySearches
    from docqa.index.protocols import Documents
    from docqa.ingest.box import Box
    from docqa.ingest.document import Source
    from docqa.ingest.windows import IntArray
    from docqa.model.span_model import SpanModel
    from docqa.quotes.check import QuoteCheck
    from docqa.ranking.reading import Reading

_log = logging.getLogger(__name__)
# Reading stops early for the sake of the first answers; who wants more gets all that was found.
_FEW = 3
# Where an expected answer is in none of the windows that were read, it is looked for in these many.
_WIDER = 100
# Around these many windows a quote, or what comes nearest to it, is looked for first.
_QUOTE_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a question.

    Attributes:
        answers: best first; empty where the documents hold none.
        windows_read: how many windows went through the reader for it.
        hits: the windows that the search found, best first.
        evidence: the sentences that answer, best first, where they were asked for.
        searched: which share of the documents was searched; all, but where shards of a collection
            can't be read.
        language_note: what is in a language that the reader does not know; None where nothing
            surely is, or the reader's settings name no languages.
    """

    question: str
    answers: list[Answer]
    windows_read: int
    hits: list[Hit]
    evidence: list[EvidenceSentence] = field(default_factory=list)
    searched: Searched = field(default_factory=Searched)
    language_note: LanguageNote | None = None


@dataclass
class Timings:
    """Seconds that a call spent, over all its questions."""

    retrieve: float = 0.0
    read: float = 0.0
    total: float = 0.0


class DocQA:
    """Questions to a folder of documents, by an index of them or by a collection of indexes.

    Models are loaded when they are first needed and kept. An object may be used from several
    threads at once, also while the index is written to: the model reads for one after the other,
    nothing else waits. As a context manager it closes the index's files at the end.

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
        self._folder = Path(index)
        self._embedder = embedder
        self._window = window
        self._device = device
        self._handle: AnyHandle | None = None
        self._handles = threading.Lock()  # over the one above
        self._reader_name = reader or DEFAULT_READER
        self._dtype = dtype
        self._settings = settings
        self._held = threading.local()  # .snapshot: what this thread holds open
        self._loading = threading.Lock()

    # -- indexing ----------------------------------------------------------------------------

    def index(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: BuildOptions | None = None,
        progress: Progress | None = None,
        shards: int | None = None,
        ray: str | None = None,
    ) -> IndexReport:
        """Bring the index in line with files and folders, making it if there is none.

        Args:
            paths: files and folders; folders recursively.
            options: which files to take, and what each may cost.
            progress: called as the run comes on.
            shards: of how many indexes to make a collection; one that is there already has them.
            ray: the address of a Ray cluster that builds the collection's shards; ``auto`` for that
                which this computer is a node of, ``local`` to start one for this run.

        Returns:
            What was added, changed, unchanged, removed, and what failed and why.

        Raises:
            IndexMismatchError: the index was made with another embedder or window size, or with
                another number of shards.
            IndexLockedError: another process is writing to it.
            DiskFullError: there is no room left. What was written before is kept.
            ModelError: the embedder can't be loaded.
            ClusterError: there is no Ray, or no such cluster.
        """
        from docqa.index.build import BuildOptions

        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        options = options or BuildOptions()
        if shards is None and ray is None:
            return self._opened.index(paths, options, progress, self._new_tokenizer)
        from docqa.index.collection.handle import CollectionHandle

        with CollectionHandle(self._folder, self._embedder, self._window, self._device) as handle:
            return handle.index(paths, options, progress, self._new_tokenizer, shards, ray)

    def forget(self, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
        """Remove files, and all files under folders, from the index.

        The files themselves are not touched, and need not be there any more.

        Args:
            paths: files and folders.

        Returns:
            The paths of the files that were removed.

        Raises:
            ValueError: the index holds nothing under one of the paths; then nothing is removed.
            IndexMissingError: there is no index.
            IndexLockedError: another process is writing to it.
        """
        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        return self._opened.forget(paths)

    def _new_tokenizer(self) -> str:
        from docqa.model.span_model import load_tokenizer

        return load_tokenizer(self._reader_name).to_str()

    def load(self) -> None:
        """Load now what :meth:`ask` would load with the first question.

        Raises:
            IndexMissingError: there is no index.
            IndexMismatchError: the index was made with another embedder or window size.
            ModelError: a model can't be loaded.
        """
        with self._snapshot() as (store, _):
            _ = self.model
            self._opened.embedder(store)

    # -- asking ------------------------------------------------------------------------------

    def ask(
        self, question: str, top_k: int = 3, candidates: int = 10, within: Sequence[str] = ()
    ) -> list[Answer]:
        """Return the best answers to a question, best first; none where the documents hold none.

        Args:
            top_k: the most answers.
            candidates: how many hits the reader gets to read. All are read for more than three
                answers; else no more than the reader's ``stop_margin`` asks for.
            within: only documents that lie in one of these folders, are one of these files, or
                match one of these globs; empty for all. Relative ones are taken from the current
                folder; a glob without a slash (``*.pdf``) is about names at any depth. How rare a
                word is stays counted over the whole index.

        Raises:
            FilterError: no document lies within the filter.
            QuestionError: the question is empty, too long, or not valid Unicode.
            IndexMissingError: there is no index.
            IndexMismatchError: the index was made with another embedder or window size.
            ModelError: a model can't be loaded.
        """
        return self.ask_many([question], top_k, candidates, within)[0]

    def ask_many(
        self,
        questions: Sequence[str],
        top_k: int = 3,
        candidates: int = 10,
        within: Sequence[str] = (),
    ) -> list[list[Answer]]:
        """:meth:`ask` many questions, which the reader takes in common batches."""
        return [result.answers for result in self.results(questions, top_k, candidates, within)[0]]

    def results(
        self,
        questions: Sequence[str],
        top_k: int = 3,
        candidates: int = 10,
        within: Sequence[str] = (),
        evidence: int = 0,
    ) -> tuple[list[Result], Timings]:
        """:meth:`ask_many`, and return what was read and how long it took, too.

        Args:
            evidence: the most sentences that each result brings, as :meth:`evidence` has them;
                for any, all hits are read.
        """
        from docqa.ranking.rank import rank

        for question in questions:
            check_question(question)
        if not questions:
            return [], Timings()
        began = time.perf_counter()
        with self.snapshot() as store:
            hits = self.search_many(questions, candidates, within)
            searched = store.searched
            found = time.perf_counter()
            readings = self.read_many(questions, hits, exhaustive=top_k > _FEW or evidence > 0)
            results = []
            for reading, row in zip(readings, hits, strict=True):
                answers = rank(reading, self.settings, top_k)
                note = language_note(
                    reading.question,
                    [hit.text for hit in row],
                    self.settings.languages,
                    is_unsure=not answers or answers[0].doubtful,
                )
                results.append(
                    Result(
                        reading.question,
                        answers,
                        len(reading.hits),
                        row,
                        self._evidence(reading, evidence) if evidence else [],
                        searched,
                        note,
                    )
                )
        done = time.perf_counter()
        _log.debug(
            "%d questions: searched in %.0f ms, read %d windows in %.0f ms",
            len(questions),
            1000 * (found - began),
            sum(result.windows_read for result in results),
            1000 * (done - found),
        )
        return results, Timings(found - began, done - found, done - began)

    def _evidence(self, reading: Reading, count: int) -> list[EvidenceSentence]:
        from docqa.ranking.evidence_sentences import evidence_sentences

        return evidence_sentences(reading, self.settings, count)

    def evidence(
        self, question: str, count: int = 3, candidates: int = 10, within: Sequence[str] = ()
    ) -> list[EvidenceSentence]:
        """Return the sentences that answer a question, best first, in the documents' own words.

        For questions that no single phrase answers: how, why, under which conditions.

        Args:
            count: the most sentences.
            candidates, within: as in :meth:`ask`.

        Raises:
            DocQAError: as :meth:`ask` raises them.
            ValueError: ``count`` below 1.
        """
        if count < 1:
            raise ValueError(f"at least one sentence is needed, not {count}")
        [result], _ = self.results([question], 1, candidates, within, count)
        return result.evidence

    def explain(
        self,
        question: str,
        candidates: int = 10,
        top_k: int = 3,
        windows: int = 3,
        expected: str | None = None,
        within: Sequence[str] = (),
    ) -> Explanation:
        """Explain why :meth:`ask` answers a question as it does, with every hit read.

        Args:
            candidates: how many hits the reader gets to read.
            top_k: the most answers, and the most spans of each window.
            windows: how many windows to look at, best first.
            expected: the answer that is held to be right.
            within: only documents that lie there, as in :meth:`ask`.

        Raises:
            ValueError: a number below 1, or ``expected`` empty.
            DocQAError: as :meth:`ask` raises them.
        """
        from docqa.explain.explanation import explain

        with self.snapshot():
            hits = self.search(question, candidates, within)
            reading = self.read(question, hits, exhaustive=True)
            explanation = explain(
                reading, self.settings, top_k=top_k, windows=windows, expected=expected
            )
            if not explanation.missed:
                return explanation
            wider = self.search(question, max(_WIDER, 2 * candidates), within)
            return explanation.searched_wider(wider)

    @contextmanager
    def snapshot(self) -> Iterator[Documents]:
        """Hold the index as it is for all searches, readings and rankings of this thread inside.

        Without it each of them sees the index as it is at that moment. A reading whose document
        was changed in between can't be ranked any more.

        Yields:
            The index's documents, to look at themselves; ``searched`` says which share of them
            the searches inside went through.

        Example::

            with qa.snapshot():
                hits = my_reranker(qa.search(question, 50))[:10]
                answers = rank(qa.read(question, hits), qa.settings, top_k=3)
        """
        with self._snapshot() as (store, _):
            yield store

    def check_quote(self, quote: str, most_places: int = 3) -> QuoteCheck:
        """Return whether a sentence stands in the documents word for word, and where.

        Args:
            most_places: the most places to return.

        Raises:
            QuestionError: the quote is empty, too long, or not valid Unicode.
            IndexMissingError: there is no index.
        """
        from docqa.quotes.check import check_quote, clean_quote

        clean_quote(quote)
        with self._snapshot() as (store, _):
            return check_quote(store, quote, self.search(quote, _QUOTE_CANDIDATES), most_places)

    def search(self, question: str, k: int = 10, within: Sequence[str] = ()) -> list[Hit]:
        """Return the ``k`` best windows for a question; nothing is read.

        Args:
            within: only documents that lie there, as in :meth:`ask`.

        Raises:
            FilterError: no document lies within the filter.
            QuestionError: the question is empty, or not valid Unicode.
            IndexMissingError: there is no index.
        """
        return self.search_many([question], k, within)[0]

    def search_many(
        self, questions: Sequence[str], k: int = 10, within: Sequence[str] = ()
    ) -> list[list[Hit]]:
        """:meth:`search` for many questions."""
        from docqa.index.within import absolute_entries

        for question in questions:
            check_question(question)
        if not questions:
            return []
        with self._snapshot() as (store, searches):
            vectors = self._opened.embedder(store).questions(questions)
            return searches.search(store, questions, vectors, k, absolute_entries(within))

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        exhaustive: bool = False,
        within: Sequence[str] = (),
    ) -> Reading:
        """Read hits for a question; :func:`docqa.ranking.rank.rank` makes answers of it.

        Args:
            hits: best first; from :meth:`search`, or from wherever else.
            exhaustive: whether all are read, even where the first ones settle it.
            within: only hits of documents that lie there are read, as in :meth:`ask`.

        Raises:
            QuestionError: the question is empty, too long, or not valid Unicode.
            IndexMissingError: there is no index.
            ModelError: the reader can't be loaded.
        """
        return self.read_many([question], [hits], exhaustive, within)[0]

    def read_many(
        self,
        questions: Sequence[str],
        hits: Sequence[Sequence[Hit]],
        exhaustive: bool = False,
        within: Sequence[str] = (),
    ) -> list[Reading]:
        """:meth:`read` for many questions, each with its own hits, in common batches."""
        from docqa.index.within import absolute_entries, matcher
        from docqa.ranking.early_stopping import read_gradually
        from docqa.ranking.reading import Reading

        if not questions:
            return []
        model, settings = self.model, self.settings
        if within:
            lies_within = matcher(absolute_entries(within))
            hits = [[hit for hit in row if lies_within(hit.document)] for row in hits]
        if exhaustive:
            settings = replace(settings, stop_margin=float("inf"))
        ids = [model.question_ids(question) for question in questions]
        with self._snapshot() as (store, _):
            same_tokens = store.settings.tokenizer == self._tokenizer_json
        fitted = [
            [
                part
                for hit in row
                for part in _reader_parts(model, hit, question, same_tokens, settings.headings)
            ]
            for row, question in zip(hits, ids, strict=True)
        ]
        return [
            Reading(question, read, logits, self._sources)
            for question, (read, logits) in zip(
                questions, read_gradually(ids, fitted, model.logits, settings), strict=True
            )
        ]

    def boxes(self, answer: Answer) -> list[Box]:
        """Return where an answer stands on the pages of its file: a box for each line.

        The pages of the answer are read once more, in a process of their own.

        Args:
            answer: of this index.

        Returns:
            Boxes in points from the top left of the page as it is shown. Empty for formats without
            pages, and for the few pages of damaged PDFs that are read without places.

        Raises:
            IngestError: the file can't be read, or has changed since it was indexed.
            IndexMissingError: there is no index.
        """
        from docqa.ingest.places import boxes

        with self._snapshot() as (store, _):
            return boxes(
                answer.document,
                answer.start,
                answer.end,
                expected=answer.text,
                source=store.document_at(answer.document),
            )

    @property
    def model(self) -> SpanModel:
        """The reader's model, loaded when first needed."""
        with self._loading:
            return self._model

    @cached_property
    def _model(self) -> SpanModel:
        from docqa.model.span_model import SpanModel

        return SpanModel(self._reader_name, self._device, self._dtype)

    @cached_property
    def _tokenizer_json(self) -> str:
        return self.model.tokenizer.to_str()

    @property
    def settings(self) -> AnswerSettings:
        """How answers are chosen: as given, else the reader's own."""
        return self._settings or self.model.answer_settings

    def close(self) -> None:
        """Close the index's files, each when no thread uses it; the object can be used again."""
        with self._handles:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def __enter__(self) -> DocQA:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # -- the index, held open ----------------------------------------------------------------

    @property
    def _opened(self) -> AnyHandle:
        """The handle of what lies in the folder now, an index or a collection."""
        with self._handles:
            handle = self._handle
            wanted = is_collection(self._folder)
            if handle is None or handle.is_collection != wanted:
                if handle is not None:
                    handle.close()
                handle = self._handle = open_handle(
                    self._folder, self._embedder, self._window, self._device, wanted
                )
            return handle

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[Documents, AnySearches]]:
        """The index at one generation: that which this thread holds already, or the newest."""
        held: tuple[Documents, AnySearches] | None = getattr(self._held, "snapshot", None)
        if held is not None:
            yield held
            return
        with self._opened.snapshot() as opened:
            self._held.snapshot = opened
            try:
                yield opened
            finally:
                self._held.snapshot = None

    @contextmanager
    def _sources(self) -> Iterator[Callable[[int], Source]]:
        """The documents of a reading, by their ids."""
        held = getattr(self._held, "snapshot", None) is not None
        with self._snapshot() as (store, _):

            def source(document_id: int) -> Source:
                try:
                    return store.document(document_id)
                except IndexDamagedError as error:
                    if held:
                        raise
                    raise StorageError(
                        "a document was changed or removed after it was read: ask again, or "
                        "search, read and rank inside DocQA.snapshot()"
                    ) from error

            yield source


def _reader_parts(
    model: SpanModel, hit: Hit, question: IntArray, same_tokens: bool, headings: bool
) -> list[Hit]:
    """Cut a hit into what fits beside a question: its stored tokens where they are the reader's."""
    if same_tokens:
        windows = model.fit(hit.window, question)
    else:
        size = max(model.room(question), 16)
        windows = [
            replace(window, start=window.start + hit.start, end=window.end + hit.start)
            for window in model.windows(hit.text, question, WindowSettings(size, size // 4))
        ]
    return [
        replace(
            hit,
            window=model.under(window, hit.heading_line, question) if headings else window,
            text=hit.text[window.start - hit.start : window.end - hit.start],
        )
        for window in windows
    ]
