"""Checks an index against itself and against the files it was made from. Changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from docqa.index.dense import DenseIndex
from docqa.index.postings import Postings
from docqa.index.store import Store, StoredWindow
from docqa.ingest.document import Document
from docqa.ingest.windows import tokenize

# float16 keeps a unit vector's length to about one part in a thousand.
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be; ``document`` is None where it is the index's own."""

    document: str | None
    problem: str


def verify(store: Store, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
    """All problems of an index; an empty list means that it is whole and up to date.

    Checked are the database's pages, the full text against the windows, every window's text and
    tokens against its document, that no token is outside all windows, every vector's length, the
    vectors' and the words' cache against the store, and every file's hash.

    Args:
        progress: told how many documents have been checked, of how many.
    """
    try:
        return _all_problems(store, progress)
    except sqlite3.DatabaseError as error:
        return [Problem(None, f"database: {error}; delete the folder and run docqa index again")]


def _all_problems(store: Store, progress: Callable[[int, int], None] | None) -> list[Problem]:
    problems = [Problem(None, text) for text in _database_problems(store)]
    tokenizer = Tokenizer.from_str(store.settings.tokenizer)
    tokenizer.encode_special_tokens = True
    ids = store.document_ids()
    for n, document_id in enumerate(ids, 1):
        document = store.document(document_id)
        windows = store.document_windows(document_id)
        found = [*_window_problems(document, windows, tokenizer), *_file_problems(document)]
        problems.extend(Problem(document.path, text) for text in found)
        if progress is not None:
            progress(n, len(ids))
    problems.extend(Problem(None, text) for text in _vector_problems(store))
    problems.extend(Problem(None, text) for text in _word_problems(store))
    return problems


def _database_problems(store: Store) -> Iterator[str]:
    for row in store.db.execute("pragma integrity_check"):
        if row[0] != "ok":
            yield f"database: {row[0]}"
    for table, *_ in store.db.execute("pragma foreign_key_check"):
        yield f"database: a row of {table} belongs to nothing"
    try:
        store.db.execute("insert into windows_fts(windows_fts, rank) values ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        yield f"full text: {error}"


def _window_problems(
    document: Document, windows: list[StoredWindow], tokenizer: Tokenizer
) -> Iterator[str]:
    for at in windows:
        window = at.window
        if document.text[window.start : window.end] != at.text:
            yield f"window {at.id} does not hold its document's text"
        offsets = window.token_offsets
        if len(window.token_ids) != len(offsets) or not len(offsets):
            yield f"window {at.id} has {len(window.token_ids)} tokens, {len(offsets)} offsets"
        elif offsets.min() < 0 or offsets.max() != window.end - window.start:
            yield f"window {at.id} has tokens outside its text"
    tokens = tokenize(document.text, tokenizer)
    inside = np.zeros(len(document.text) + 1, np.bool_)
    for at in windows:
        inside[at.window.start : at.window.end] = True
    outside = np.flatnonzero(~inside[tokens.offsets[:, 0]])
    if len(outside):
        place = tokens.offsets[outside[0], 0]
        yield f"{len(outside)} tokens are outside all windows, the first at {place}"


def _file_problems(document: Document) -> Iterator[str]:
    try:
        with Path(document.path).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        yield f"the file can't be read any more: {error.strerror}; run docqa index again"
        return
    if digest != document.sha256:
        yield "the file has changed since it was indexed; run docqa index again"


def _vector_problems(store: Store) -> Iterator[str]:
    ids = store.window_ids()
    vectors = store.vectors(ids)
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = ids[~(np.abs(lengths - 1) < _LENGTH_TOLERANCE)]
    if len(wrong):
        yield f"{len(wrong)} vectors are not of length 1, the first of window {wrong[0]}"
    dense = DenseIndex.load(store)
    if dense.rebuilt:
        yield f"vectors' cache: {dense.rebuilt}; the next question rebuilds it"
    elif not dense.is_saved(store):
        yield "vectors' cache: behind the database; the next question mends it"
    else:
        nearest = dense.nearest_to_itself(store)
        if nearest < 1:
            yield f"vectors' cache: only {nearest:.1%} of a sample find themselves; delete it"


def _word_problems(store: Store) -> Iterator[str]:
    postings = Postings.load(store)
    wrong = postings.wrong_words(store) if postings is not None else []
    if wrong:
        yield f"words' cache: not the windows of {', '.join(map(repr, wrong[:3]))}; delete it"
