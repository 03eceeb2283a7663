"""BM25 over windows, with SQLite's FTS5."""

from __future__ import annotations

import re

from index.store import Store

_WORD = re.compile(r"\w+")
# Words that say what kind of question it is, or nothing at all; windows are not found by them.
_STOP_WORDS = frozenset(
    (
        "a an and are as at be been by did do does for from how in is it its of on or that the "
        "these this those to was were what when where which who whom whose why with"
    ).split()
)


def bm25(store: Store, question: str, limit: int) -> list[tuple[int, float]]:
    """The windows that share words with a question.

    A window that holds any of the question's words counts (``OR``); words are stemmed and stripped
    of accents as FTS5's ``porter unicode61`` does it, and nothing in a question is taken as query
    syntax. Stop words count only where there is nothing else.

    Args:
        limit: the most windows to return.

    Returns:
        ``(window id, score)``, best first; scores are BM25 with k1 = 1.2 and b = 0.75 and greater
        is better.
    """
    query = _query(question)
    if not query:
        return []
    rows = store.db.execute(
        "select rowid, -rank from windows_fts where windows_fts match ? order by rank limit ?",
        [query, limit],
    )
    return [(row[0], row[1]) for row in rows]


def _query(question: str) -> str:
    words = list(dict.fromkeys(_WORD.findall(question.lower())))
    telling = [word for word in words if word not in _STOP_WORDS]
    return " OR ".join(f'"{word}"' for word in telling or words)
