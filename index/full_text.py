"""The words of windows, searched by BM25 with SQLite's FTS5."""

from __future__ import annotations

import re
from dataclasses import dataclass

from docqa.index.postings import FTS5_LIMIT, Postings, Scorer, split_words
from docqa.index.store import Store
from docqa.index.within import Allowed

_WORD = re.compile(r"\w+")
# Words that say what kind of question it is, or nothing at all; windows are not found by them.
_STOP_WORDS = frozenset(
    (
        "a an and are as at be been by did do does for from how in is it its of on or that the "
        "these this those to was were what when where which who whom whose why with"
    ).split()
)


@dataclass(frozen=True)
class FullText:
    """An index's full text, searched by BM25.

    Attributes:
        scorer: what makes it fast where there are many windows; None where FTS5 does alone.
    """

    scorer: Scorer | None

    @classmethod
    def load(cls, store: Store, in_collection: bool = False) -> FullText:
        """Return the full text with the postings that lie beside the store; nothing is written.

        Args:
            in_collection: whether the windows are scored among those of other indexes, which FTS5
                can't do.
        """
        return cls(Scorer.load(store, always=in_collection))

    @staticmethod
    def refresh(store: Store) -> None:
        """Collect and save postings where that is worth it; the caller holds the writer's lock.

        Raises:
            StorageError: they can't be written.
        """
        if Postings.load(store) is None and store.counts()["windows"] > FTS5_LIMIT:
            Postings.collect(store.db.conn, store.generation).save(store)

    def search(
        self, store: Store, question: str, limit: int, allowed: Allowed | None = None
    ) -> list[tuple[int, float]]:
        """Return the windows that share words with a question.

        A window that holds any of the question's words counts (``OR``); words are stemmed and
        stripped of accents as FTS5's ``porter unicode61`` does it, and nothing in a question is
        taken as query syntax. Stop words count only where there is nothing else.

        Args:
            store: inside a snapshot.
            limit: the most windows to return.
            allowed: the windows that may be found; all if not given. How rare a word is counts
                over the whole index all the same.

        Returns:
            ``(window id, score)``, best first; see :mod:`docqa.index.bm25`, greater is better.
        """
        words = question_words(question)
        if not words:
            return []
        if self.scorer is not None:
            return self.scorer.find_best(store, split_words(words), limit, allowed)
        query = "select rowid, -rank from windows_fts where windows_fts match ?"
        values: list[str | int] = [" OR ".join(f'"{word}"' for word in words)]
        if allowed is not None:
            # The plus keeps SQLite from searching the full text once for each of the windows.
            query += " and +rowid in (select value from json_each(?))"
            values.append(allowed.ids_json)
        rows = store.db.execute(f"{query} order by rank limit ?", [*values, limit])
        return [(row[0], row[1]) for row in rows]


def question_words(question: str) -> list[str]:
    """Return the words of a question that windows are found by, each once."""
    words = list(dict.fromkeys(_WORD.findall(question.lower())))
    return [word for word in words if word not in _STOP_WORDS] or words
