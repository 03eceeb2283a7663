"""What can be exchanged in an index: each of the two searches.

The embedder is :class:`docqa.index.models.embedder.Embedder`.
"""

from __future__ import annotations

from typing import Protocol

from docqa.index.store import IdArray, Store, Vectors
from docqa.index.within import Allowed


class VectorSearch(Protocol):
    """Windows by the nearness of their vectors; see :class:`docqa.index.dense.DenseIndex`."""

    @property
    def generation(self) -> int:
        """The store's, which it shows."""

    def follow(self, store: Store) -> VectorSearch:
        """Return the search in line with the store's present generation."""

    def search(
        self, questions: Vectors, k: int, allowed: Allowed | None = None
    ) -> tuple[Vectors, IdArray]:
        """Return scores and ids, each ``(questions, k)``, best first; an id of -1 is none."""


class WordSearch(Protocol):
    """Windows by the words that they share; see :class:`docqa.index.full_text.FullText`."""

    def search(
        self, store: Store, question: str, limit: int, allowed: Allowed | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(window id, score)``, best first."""
