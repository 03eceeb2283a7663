"""Explanations of what an index, or one document read whole, answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from docqa.explain.diagnosis import WiderSearch, occurrences
from docqa.explain.explanation import Explanation, explain

if TYPE_CHECKING:
    from docqa.ingest.document import Document
    from docqa.ingest.windows import WindowSettings
    from docqa.qa import DocQA
    from docqa.reader import Reader

# Where the expected answer is in none of the windows that were read, so many are searched for it.
_WIDER = 100


def explain_index(
    qa: DocQA,
    question: str,
    *,
    candidates: int = 10,
    top_k: int = 3,
    windows: int = 3,
    expected: str | None = None,
) -> Explanation:
    """Why an index answers a question as it does, with every candidate read.

    Args:
        candidates: how many windows the retriever hands to the reader.
        top_k: the most answers, and the most spans of each window.
        windows: how many windows are looked at.
        expected: the answer that is held to be right.

    Raises:
        ValueError: a number below 1, or ``expected`` empty.
        DocQAError: as :meth:`docqa.DocQA.ask` raises them.
    """
    with qa.reading([question], candidates, exhaustive=True) as ([reading], [hits], _):
        explanation = explain(
            reading, qa.settings, hits, top_k=top_k, windows=windows, expected=expected
        )
    diagnosis = explanation.diagnosis
    if expected is None or diagnosis is None or diagnosis.verdict != "retrieval":
        return explanation
    wider = qa.search(question, max(_WIDER, 2 * candidates))
    ranks = (n for n, hit in enumerate(wider, 1) if any(occurrences(hit.text, expected)))
    return explanation.searched_wider(WiderSearch(len(wider), next(ranks, None)))


def explain_document(
    reader: Reader,
    question: str,
    document: Document,
    *,
    top_k: int = 3,
    windows: int = 3,
    expected: str | None = None,
    window: WindowSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """Why a document that is read whole answers a question as it does.

    Args:
        top_k: the most answers, and the most spans of each window.
        windows: how many windows are looked at.
        expected: the answer that is held to be right.
        window: size and overlap of the windows; as in :meth:`docqa.Reader.read`.
        progress: told how many windows have been read, of how many.

    Raises:
        ValueError: ``top_k`` or ``windows`` below 1, or ``expected`` empty.
        QuestionError: the question is empty or too long.
    """
    [reading] = reader.readings([(question, document)], window, progress)
    return explain(reading, reader.settings, top_k=top_k, windows=windows, expected=expected)
