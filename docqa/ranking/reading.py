"""What is to be read for a question and what was: the shapes between searching and ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from docqa.index.hit import Hit
from docqa.ingest.document import Source
from docqa.ingest.windows import IntArray, Window
from docqa.ranking.span_search import Logits

# Opens the documents of a reading: a document by its id, as long as the context lasts.
Sources = Callable[[], AbstractContextManager[Callable[[int], Source]]]


@dataclass(frozen=True, slots=True)
class Job:
    """What the reader's model is to read: a question's token ids, and windows for it."""

    question: IntArray
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class Reading:
    """The windows read for a question, and the reader's logits of them.

    Attributes:
        question: as the user put it.
        hits: the windows, in the order in which they were read. A hit that is too long for the
            reader stands here in several parts, each with the hit's own id.
        logits: of the windows, in the same order.
        sources: opens the documents that the windows are of.
        searched: whether a search chose the windows; if not, they are a whole text.
    """

    question: str
    hits: Sequence[Hit]
    logits: Logits
    sources: Sources
    searched: bool = True

    def first(self, count: int) -> Reading:
        """Return the reading as it was when only the first windows had been read."""
        return replace(self, hits=self.hits[:count], logits=self.logits.first(count))


def in_memory(document: Callable[[int], Source]) -> Sources:
    """Return the sources of a reading whose documents need no opening.

    Args:
        document: gives a document by its id.
    """
    return lambda: nullcontext(document)
