"""Components for Haystack: a retriever over an index, and an extractive reader.

The reader has the inputs, outputs and scores of the ``ExtractiveReader`` that left Haystack's core
with version 3, so that a pipeline goes on working when its ``type`` is changed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, prod
from typing import Any

from haystack import Document, ExtractedAnswer, component, default_from_dict, default_to_dict

from docqa.ingest.windows import IntArray, Window, tokenize
from docqa.model.span_model import SpanModel
from docqa.passage import passages
from docqa.qa import DocQA
from docqa.ranking.reading import Job
from docqa.ranking.span_search import NO_SPAN, Logits, top_spans
from docqa.ranking.whole_words import whole_words
from docqa.settings import DEFAULT_INDEX, DEFAULT_READER
from docqa.transformers_pipeline import sequence_windows

_log = logging.getLogger("docqa")

# Windows whose spans are looked for at once; each takes some 2 MB.
_AT_ONCE = 32
_ANSWERS_PER_SEQ = 20
# What the old reader took and docqa has no use for: where the token of a hub is, batches.
_UNUSED = ("token", "model_kwargs", "max_batch_size")


@component
class DocQARetriever:
    """Finds the passages of an index that a query is about.

    Each document's ``meta`` says where it stands: ``document`` (the file's path), ``title``,
    ``heading_path``, ``page``, ``line``, ``start``, ``end``. ``page_number`` is what Haystack calls
    the page.

    Args:
        index: the index's folder, made by ``docqa index``.
        top_k: the most passages.
        embedder: a folder or hub name; the index's own if not given.
        device: ``auto`` (CUDA, then MPS, then CPU) or what torch.device takes.
    """

    def __init__(
        self,
        index: str = DEFAULT_INDEX,
        top_k: int = 10,
        embedder: str | None = None,
        device: str = "auto",
    ) -> None:
        self.index = str(index)
        self.top_k = top_k
        self.embedder = embedder
        self.device = device
        self._qa = DocQA(self.index, embedder=embedder, device=device)

    def to_dict(self) -> dict[str, Any]:
        """Return the component as Haystack keeps it."""
        return default_to_dict(
            self, index=self.index, top_k=self.top_k, embedder=self.embedder, device=self.device
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocQARetriever:
        """Return the component that :meth:`to_dict` describes."""
        made: DocQARetriever = default_from_dict(cls, data)
        return made

    @component.output_types(documents=list[Document])
    def run(self, query: str, top_k: int | None = None) -> dict[str, Any]:
        """Return ``{"documents": [...]}``, best first.

        Raises:
            DocQAError: there is no index, or the query is empty.
            ValueError: ``top_k`` below 1.
        """
        with self._qa.snapshot() as store:
            hits = self._qa.search(query, self.top_k if top_k is None else top_k)
            return {
                "documents": [
                    Document(
                        id=f"docqa-{found.id}",
                        content=found.text,
                        meta=found.place | {"page_number": found.page},
                        score=found.score,
                    )
                    for found in passages(store, hits)
                ]
            }


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How the reader reads and chooses; the meanings are those of Haystack's ``ExtractiveReader``.

    Args:
        top_k: the most answers, "no answer" not counted.
        score_threshold: answers with a lower score are left out; None keeps all.
        max_seq_length: the most tokens of a window with its question.
        stride: tokens that neighbouring windows share.
        answers_per_seq: how many spans of each window are considered.
        no_answer: whether "no answer" is one: ``data`` is None, the score the probability that all
            others are wrong.
        calibration_factor: the score is ``sigmoid(calibration_factor · (S·T_i + E·T_j))``.
        overlap_threshold: of two answers of one document that share more than this part of either,
            the better one is kept; None keeps both.
        max_answer_tokens: the most tokens in an answer; None for no limit, as in Haystack.

    Raises:
        ValueError: a value out of range.
    """

    top_k: int = 20
    score_threshold: float | None = None
    max_seq_length: int = 384
    stride: int = 128
    answers_per_seq: int = _ANSWERS_PER_SEQ
    no_answer: bool = True
    calibration_factor: float = 0.1
    overlap_threshold: float | None = 0.01
    max_answer_tokens: int | None = None

    def __post_init__(self) -> None:
        for name in ("top_k", "max_seq_length", "answers_per_seq", "max_answer_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not 0 <= self.stride < self.max_seq_length:
            raise ValueError(
                f"stride ({self.stride}) must be at least 0 and below max_seq_length "
                f"({self.max_seq_length})"
            )


@component
class DocQAReader:
    """Reads documents for the answers to a query: an ``ExtractiveReader`` with docqa's model.

    As there, a span's score does not depend on the other spans, and spans of all documents compare.
    What differs: the model gets its segment ids where it has them, and an answer never begins or
    ends inside a word.

    Args:
        model: a folder or hub name of a question-answering model; docqa's own if not given.
        device: ``auto`` (CUDA, then MPS, then CPU) or what torch.device takes.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        top_k: as in :class:`ReaderOptions`; likewise the others.
    """

    def __init__(
        self,
        model: str | None = None,
        device: str | None = None,
        dtype: str = "auto",
        top_k: int = 20,
        score_threshold: float | None = None,
        max_seq_length: int = 384,
        stride: int = 128,
        answers_per_seq: int | None = None,
        no_answer: bool = True,
        calibration_factor: float = 0.1,
        overlap_threshold: float | None = 0.01,
        max_answer_tokens: int | None = None,
    ) -> None:
        self.model = model
        self.device = device
        self.dtype = dtype
        self.options = ReaderOptions(
            top_k,
            score_threshold,
            max_seq_length,
            stride,
            _ANSWERS_PER_SEQ if answers_per_seq is None else answers_per_seq,
            no_answer,
            calibration_factor,
            overlap_threshold,
            max_answer_tokens,
        )
        self._model: SpanModel | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the component as Haystack keeps it."""
        return default_to_dict(
            self, model=self.model, device=self.device, dtype=self.dtype, **asdict(self.options)
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocQAReader:
        """Return the component that :meth:`to_dict` describes, or that of an ``ExtractiveReader``.

        Of the latter ``token``, ``model_kwargs`` and ``max_batch_size`` are left out.
        """
        values = {
            name: value
            for name, value in data.get("init_parameters", {}).items()
            if name not in _UNUSED
        }
        if isinstance(values.get("device"), dict):  # Haystack's ComponentDevice
            values["device"] = values["device"].get("device")
        made: DocQAReader = default_from_dict(cls, data | {"init_parameters": values})
        return made

    def warm_up(self) -> None:
        """Load the model.

        Raises:
            ModelError: it can't be found or loaded.
        """
        if self._model is None:
            self._model = SpanModel(
                self.model or DEFAULT_READER,
                self.device or "auto",
                self.dtype,
            )

    @component.output_types(answers=list[ExtractedAnswer])
    def run(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        max_seq_length: int | None = None,
        stride: int | None = None,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool | None = None,
        overlap_threshold: float | None = None,
    ) -> dict[str, Any]:
        """Return ``{"answers": [...]}``, best first; none for no documents.

        Args:
            documents: those without text are passed over.
            top_k: None for the component's own; likewise the others.
            max_batch_size: taken and not used: batches are made by tokens.

        Raises:
            QuestionError: the query is empty, too long, or not valid Unicode.
            ValueError: an option out of range.
        """
        given: dict[str, Any] = {
            "top_k": top_k,
            "score_threshold": score_threshold,
            "max_seq_length": max_seq_length,
            "stride": stride,
            "answers_per_seq": answers_per_seq,
            "no_answer": no_answer,
            "overlap_threshold": overlap_threshold,
        }
        options = replace(self.options, **{k: v for k, v in given.items() if v is not None})
        if not documents:
            return {"answers": []}
        self.warm_up()
        assert self._model is not None
        answers = _distinct(_candidates(self._model, query, documents, options), options)
        if options.no_answer:
            none = prod(1 - answer.score for answer in answers)
            answers.append(ExtractedAnswer(query=query, score=none))
        answers.sort(key=lambda answer: -answer.score)
        least = options.score_threshold
        return {"answers": [one for one in answers if least is None or one.score >= least]}


def _candidates(
    model: SpanModel, query: str, documents: Sequence[Document], options: ReaderOptions
) -> list[ExtractedAnswer]:
    """Return the best spans of each window as answers, best first."""
    question = model.question_ids(query)
    windows: list[tuple[Document, Window]] = []
    for document in documents:
        if document.content is None:
            _log.warning("the document %s has no text; it is passed over", document.id)
            continue
        windows += [(document, window) for window in _windows(model, question, document, options)]
    [logits] = model.logits([Job(question, [window for _, window in windows])])
    found = [
        ExtractedAnswer(
            query=query,
            score=_sigmoid(options.calibration_factor * score),
            data=(document.content or "")[start:end],
            document=document,
            document_offset=ExtractedAnswer.Span(start, end),
            meta=_page(document, start),
        )
        for document, start, end, score in _spans(windows, logits, options)
    ]
    return sorted(found, key=lambda answer: -answer.score)


def _windows(
    model: SpanModel, question: IntArray, document: Document, options: ReaderOptions
) -> list[Window]:
    tokens = tokenize(document.content or "", model.tokenizer)
    return sequence_windows(model, question, tokens, options.max_seq_length, options.stride)


def _spans(
    windows: Sequence[tuple[Document, Window]], logits: Logits, options: ReaderOptions
) -> Iterator[tuple[Document, int, int, float]]:
    """Yield the best spans of each window: document, start, end and raw score."""
    for first in range(0, len(windows), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        start, end = logits.start[part], logits.end[part]
        longest = options.max_answer_tokens or max(start.shape[1], 1)
        columns = top_spans(start, end, logits.allowed[part], longest, options.answers_per_seq)
        for (document, window), *spans in zip(
            windows[part], *(column.tolist() for column in columns), strict=True
        ):
            for score, begin, last in zip(*spans, strict=True):
                if score > NO_SPAN:
                    low = window.start + int(window.token_offsets[begin, 0])
                    high = window.start + int(window.token_offsets[last, 1])
                    yield document, *whole_words(document.content or "", low, high), score


def _distinct(
    candidates: Sequence[ExtractedAnswer], options: ReaderOptions
) -> list[ExtractedAnswer]:
    """Return the first ``top_k`` answers that do not overlap a better one by too much."""
    kept: list[ExtractedAnswer] = []
    taken: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    most = 1.0 if options.overlap_threshold is None else options.overlap_threshold
    for answer in candidates:
        assert answer.document is not None
        assert answer.document_offset is not None
        start, end = answer.document_offset.start, answer.document_offset.end
        places = taken[answer.document.id]
        if (start, end) in places or any(
            min(end, high) - max(start, low) > most * min(end - start, high - low)
            for low, high in places
        ):
            continue
        places.append((start, end))
        kept.append(answer)
        if len(kept) == options.top_k:
            break
    return kept


def _page(document: Document, start: int) -> dict[str, Any]:
    """Return the page of an answer, where the document says on which page it begins.

    Pages end with a form feed, as Haystack's converters write them, or at ``page_breaks``, as
    :class:`DocQARetriever` gives them.
    """
    number = document.meta.get("page_number")
    if not isinstance(number, int):
        return {}
    breaks = document.meta.get("page_breaks")
    if isinstance(breaks, list):
        turned = sum(at <= start for at in breaks)
    else:
        turned = (document.content or "").count("\f", 0, start)
    return {"answer_page_number": number + turned}


def _sigmoid(value: float) -> float:
    """Return ``1 / (1 + exp(-value))``, for any value."""
    if value >= 0:
        return 1 / (1 + exp(-value))
    return exp(value) / (1 + exp(value))
