"""What can be exchanged in an index: the embedder, and each of the two searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from docqa.index.store import IdArray, Store, Vectors


class Embedder(Protocol):
    """Text to vectors of length 1."""

    @property
    def name(self) -> str:
        """The name that finds it again; an index remembers it."""

    @property
    def sha256(self) -> str:
        """Of its weights; an index is asked with the weights that it was made with."""

    @property
    def dimension(self) -> int:
        """How long its vectors are."""

    def passages(
        self, texts: Sequence[str], on_batch: Callable[[int], None] | None = None, /
    ) -> Vectors:
        """Return ``(texts, dimension)`` vectors of passages.

        Args:
            on_batch: called after each batch with the number of its texts.
        """

    def questions(self, texts: Sequence[str], /) -> Vectors:
        """Return ``(texts, dimension)`` vectors of questions."""


class VectorSearch(Protocol):
    """Windows by the nearness of their vectors; see :class:`docqa.index.dense.DenseIndex`."""

    @property
    def generation(self) -> int:
        """The store's, which it shows."""

    def follow(self, store: Store) -> VectorSearch:
        """Return the search in line with the store's present generation."""

    def search(self, questions: Vectors, k: int) -> tuple[Vectors, IdArray]:
        """Return scores and ids, each ``(questions, k)``, best first; an id of -1 is none."""


class WordSearch(Protocol):
    """Windows by the words that they share; see :class:`docqa.index.full_text.FullText`."""

    def search(self, store: Store, question: str, limit: int) -> list[tuple[int, float]]:
        """Return ``(window id, score)``, best first."""
