"""Reader: one text of any length, no index.

Called as a function it takes what the question-answering pipeline took that transformers had up
to 5.2, and returns the same dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from docqa.answer import Answer
from docqa.index.hit import Hit
from docqa.index.models.device import Device, DType
from docqa.ingest.document import Document
from docqa.ingest.windows import Window, WindowSettings
from docqa.model.span_model import SpanModel
from docqa.ranking.rank import rank
from docqa.ranking.reading import Job, Reading, in_memory
from docqa.settings import DEFAULT_READER, AnswerSettings
from docqa.transformers_pipeline import PipelineOptions, answer_as_pipeline

# Where all of a text is read anyway, longer windows see more of it at once (docs/benchmarks.md).
READ_WINDOW = WindowSettings(320, 96)


class Reader:
    """Reads one text for an answer. Several threads may share one; the model takes turns.

    Args:
        model: a folder or hub name of a question-answering model; docqa's own if not given.
        device: ``auto`` (CUDA, then MPS, then CPU) or what torch.device takes.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        settings: how answers are chosen by :meth:`read`; the model's own if not given.

    Raises:
        ModelError: the model can't be found or loaded.
    """

    def __init__(
        self,
        model: str = DEFAULT_READER,
        *,
        device: Device = "auto",
        dtype: DType = "auto",
        settings: AnswerSettings | None = None,
    ) -> None:
        self.model = SpanModel(model, device, dtype)
        self.settings = settings or self.model.answer_settings

    def read(
        self,
        question: str,
        text: str | Document,
        top_k: int = 3,
        window: WindowSettings | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]:
        """Return the best answers in one text, best first; none where it holds none.

        Args:
            text: a text, or a document from :func:`docqa.ingest.load`.
            window: size and overlap of the windows the text is read in; 320 and 96 tokens if not
                given, or as many as fit beside the question.
            progress: gets how many windows have been read, and how many there are.

        Raises:
            QuestionError: the question is empty, too long, or not valid Unicode.
        """
        document = text if isinstance(text, Document) else text_document(text)
        [answers] = self.read_many([(question, document)], top_k, window, progress)
        return answers

    def read_many(
        self,
        pairs: Sequence[tuple[str, Document]],
        top_k: int = 3,
        window: WindowSettings | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[list[Answer]]:
        """:meth:`read` for many questions, each with its own document, in common batches."""
        readings = self.readings(pairs, window, progress)
        return [rank(reading, self.settings, top_k) for reading in readings]

    def readings(
        self,
        pairs: Sequence[tuple[str, Document]],
        window: WindowSettings | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Reading]:
        """Read texts whole; :func:`docqa.ranking.rank.rank` makes answers of each reading."""
        jobs = []
        for question, document in pairs:
            ids = self.model.question_ids(question)
            windows = self.model.windows(document.text, ids, window or READ_WINDOW)
            jobs.append(Job(ids, windows))
        total = sum(len(job.windows) for job in jobs)
        done = 0

        def count(windows: int) -> None:
            nonlocal done
            done += windows
            if progress is not None:
                progress(done, total)

        return [
            Reading(
                question,
                [_hit(document, n, window) for n, window in enumerate(job.windows)],
                logits,
                in_memory(lambda _, document=document: document),  # type: ignore[misc]
                searched=False,
            )
            for (question, document), job, logits in zip(
                pairs, jobs, self.model.logits(jobs, count), strict=True
            )
        ]

    def __call__(
        self,
        question: str | Sequence[str],
        context: str | Sequence[str],
        *,
        top_k: int = 1,
        doc_stride: int | None = None,
        max_answer_len: int = 15,
        max_seq_len: int | None = None,
        max_question_len: int = 64,
        handle_impossible_answer: bool = False,
        align_to_words: bool = True,
    ) -> Any:
        """Answer as the question-answering pipeline did; see :mod:`transformers_pipeline`.

        Args:
            question, context: a string each; or a list of questions with one context for all or
                with as many contexts.
            top_k: the most answers.
            doc_stride: tokens that neighbouring windows share; 128, or half a window if less.
            max_answer_len: the most tokens in an answer.
            max_seq_len: the most tokens in a window with its question; 384.
            max_question_len: taken and not used, as the pipeline did with fast tokenizers.
            handle_impossible_answer: whether "no answer" (an empty string) may be one.
            align_to_words: whether answers are widened to whole words.

        Returns:
            ``{"score", "start", "end", "answer"}``; a list of these where a question has several
            answers; a list of either where there are several questions.

        Raises:
            ValueError: an argument out of range, or lists that do not match.
            QuestionError: a question is empty, too long, or not valid Unicode.
        """
        options = PipelineOptions(
            top_k, doc_stride, max_answer_len, max_seq_len, handle_impossible_answer, align_to_words
        )
        return answer_as_pipeline(self.model, question, context, options)


def text_document(text: str) -> Document:
    """Make a document of a text that is in no file."""
    return Document("", "text", text, (), "", len(text.encode("utf-8", "surrogatepass")), 0)


def _hit(document: Document, number: int, window: Window) -> Hit:
    """A window of a text that is read whole: no search ranks it before others."""
    page = document.page_at(window.start)
    text = document.text[window.start : window.end]
    return Hit(number, 0, document.path, page[0] if page else None, window, text, 0.0, 0.0)
