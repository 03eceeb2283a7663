"""The question-answering pipeline that transformers had up to 5.2: its arguments, its results.

For contexts that fit into one window the answers and scores are the pipeline's own, for the same
model. Longer contexts differ where the pipeline was wrong:

- Probabilities are taken over all windows together (Clark and Gardner 2018), not inside each
  window; the pipeline's scores of different windows did not compare, and could sum to more
  than 1.
- Windows share the text out evenly and do not cut words.
- What could not be an answer (a special token, a span that is too long) is not one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from docqa.errors import QuestionError
from docqa.ingest.windows import IntArray, Tokens, Window, WindowSettings, split, tokenize
from docqa.model.span_model import SpanModel
from docqa.ranking.null_rule import null_score
from docqa.ranking.reading import Job
from docqa.ranking.span_search import NO_SPAN, Logits, log_normalizers, top_spans

_MAX_SEQ_LEN = 384
_DOC_STRIDE = 128

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """The pipeline's arguments; None is its default.

    Raises:
        ValueError: one is out of range.
    """

    top_k: int
    doc_stride: int | None
    max_answer_len: int
    max_seq_len: int | None
    handle_impossible_answer: bool
    align_to_words: bool

    def __post_init__(self) -> None:
        for name, value in (("top_k", self.top_k), ("max_answer_len", self.max_answer_len)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not 0 <= self.overlap <= self.longest:
            raise ValueError(
                f"doc_stride ({self.overlap}) must be from 0 to max_seq_len ({self.longest})"
            )

    @property
    def longest(self) -> int:
        """The most tokens in a window with its question."""
        return self.max_seq_len or _MAX_SEQ_LEN

    @property
    def overlap(self) -> int:
        """Tokens that neighbouring windows share."""
        default = min(_DOC_STRIDE, self.longest // 2)
        return default if self.doc_stride is None else self.doc_stride


def answer_as_pipeline(
    model: SpanModel,
    question: str | Sequence[str],
    context: str | Sequence[str],
    options: PipelineOptions,
) -> Result | list[Result] | list[Result | list[Result]]:
    """Answer one question or several, as :meth:`docqa.Reader.__call__` describes it."""
    pairs = _pairs(question, context)

    @lru_cache(maxsize=1)
    def tokenized(text: str) -> tuple[Tokens, _Words]:
        tokens = tokenize(text, model.tokenizer)
        return tokens, _Words.of(tokens)

    jobs, words = [], []
    for one, text in pairs:
        ids = model.question_ids(one)
        tokens, words_of = tokenized(text)
        jobs.append(
            Job(ids, sequence_windows(model, ids, tokens, options.longest, options.overlap))
        )
        words.append(words_of if options.align_to_words else None)
    results = [
        _answers(logits, words_of, job.windows, text, options)
        for (_, text), words_of, job, logits in zip(
            pairs, words, jobs, model.logits(jobs), strict=True
        )
    ]
    return results[0] if len(results) == 1 else results


@dataclass(frozen=True, slots=True)
class _Words:
    """Where the words of a context start and end: ``(words,)`` each, made once a context."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, tokens: Tokens) -> _Words:
        firsts = np.flatnonzero(tokens.word_starts)
        lasts = np.append(firsts, len(tokens))[1:] - 1
        # As wide as Python's integers: else each search would widen a copy of the whole array.
        starts, ends = tokens.offsets[firsts, 0], tokens.offsets[lasts, 1]
        return cls(starts.astype(np.int64), ends.astype(np.int64))

    def around(self, start: int, end: int) -> tuple[int, int]:
        """Widen ``[start, end)`` to the words that its first and last token belong to."""
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        last = int(np.searchsorted(self.starts, end, side="left")) - 1
        return int(self.starts[first]), max(end, int(self.ends[last]))


def _pairs(question: str | Sequence[str], context: str | Sequence[str]) -> list[tuple[str, str]]:
    questions = [question] if isinstance(question, str) else list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    if len(questions) != len(contexts):
        raise ValueError(f"{len(questions)} questions do not match {len(contexts)} contexts")
    for text in contexts:
        if not text:
            raise QuestionError("a context is empty")
    return list(zip(questions, contexts, strict=True))


def sequence_windows(
    model: SpanModel, question: IntArray, tokens: Tokens, max_seq_len: int, overlap: int
) -> list[Window]:
    """Return a text's windows whose size is counted with their question, as the pipeline counts.

    Args:
        max_seq_len: the most tokens of a window with its question and special tokens.
        overlap: tokens that neighbouring windows share.

    Raises:
        QuestionError: the question leaves no room.
    """
    longest = min(max_seq_len, model.max_tokens)
    size = model.room(question) - model.max_tokens + longest
    if size < 16:
        raise QuestionError(
            f"a question of {len(question)} tokens leaves no room for the context in "
            f"max_seq_len = {longest}"
        )
    return list(split(tokens, WindowSettings(size, min(overlap, size // 2))))


def _answers(
    logits: Logits,
    words: _Words | None,
    windows: Sequence[Window],
    text: str,
    options: PipelineOptions,
) -> Result | list[Result]:
    found: dict[str, Result] = {}  # by the answer's text, in lower case
    log_start, log_end = log_normalizers(logits) if windows else (0.0, 0.0)
    # Spans that become the same text when widened to words are one answer: look at more.
    kept = 2 * options.top_k + 10 if options.align_to_words else options.top_k
    columns = top_spans(logits.start, logits.end, logits.allowed, options.max_answer_len, kept)
    for window, *spans in zip(windows, *(column.tolist() for column in columns), strict=True):
        for score, first, last in zip(*spans, strict=True):
            if score == NO_SPAN:
                break
            start = window.start + int(window.token_offsets[first, 0])
            end = window.start + int(window.token_offsets[last, 1])
            if words is not None:
                start, end = words.around(start, end)
            answer = text[start:end]
            one = found.setdefault(
                answer.lower(), {"score": 0.0, "start": start, "end": end, "answer": answer}
            )
            one["score"] += exp(score - log_start - log_end)
    results = list(found.values())
    if options.handle_impossible_answer or not results:
        none = exp(null_score(logits) - log_start - log_end) if windows else 1.0
        score = none if options.handle_impossible_answer else 0.0
        results.append({"score": score, "start": 0, "end": 0, "answer": ""})
    results.sort(key=lambda result: -float(result["score"]))
    best = results[: options.top_k]
    return best[0] if len(best) == 1 else best
