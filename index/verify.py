"""Checks an index against itself and against the files it was made from. Changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from docqa.index.dense import DenseIndex
from docqa.index.errors import IndexDamagedError
from docqa.index.postings import Postings
from docqa.index.schema import TOKENIZE
from docqa.index.store import Store, StoredWindow
from docqa.index.system_errors import storage_error
from docqa.ingest.archives import file_of
from docqa.ingest.document import Document
from docqa.ingest.windows import tokenize

# float16 keeps a unit vector's length to about one part in a thousand.
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be; ``document`` is None where it is the index's own."""

    document: str | None
    problem: str


@dataclass
class Verification:
    """What a check of an index found.

    Attributes:
        problems: what somebody has to do something about; none where the index is whole and up to
            date.
        notes: what the next question or run puts right by itself.
        checked: how much there was, see :meth:`docqa.index.store.Store.counts`.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)


def verify(store: Store, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Check an index against itself and against the files it was made from.

    Checked are the database's pages, the full text against the windows, every window's text and
    tokens against its document, that no token is outside all windows, every vector's length, the
    vectors' and the words' cache against the store, and every file's hash. Nothing is written: an
    index that may only be read can be checked, and one that is being written to, at the generation
    that it has at the start.

    Args:
        progress: called after each document with the number that is done, and of all.

    Raises:
        StorageError: the index can't be read, for a reason other than damage.
    """
    found = Verification()
    try:
        with store.snapshot():
            _verify(store, found, progress)
    except IndexDamagedError as error:
        found.problems.append(Problem(None, str(error)))
    return found


def _verify(store: Store, found: Verification, progress: Callable[[int, int], None] | None) -> None:
    found.checked = store.counts()
    found.problems.extend(Problem(None, text) for text in _database_problems(store))
    tokenizer = Tokenizer.from_str(store.settings.tokenizer)
    tokenizer.encode_special_tokens = True
    ids = store.document_ids()
    for n, document_id in enumerate(ids, 1):
        try:
            document = store.full_document(document_id)
        except IndexDamagedError as error:
            found.problems.append(Problem(store.document(document_id).path, str(error)))
            continue
        windows = store.document_windows(document_id)
        texts = [*_window_problems(document, windows, tokenizer), *_file_problems(document)]
        found.problems.extend(Problem(document.path, text) for text in texts)
        if progress is not None:
            progress(n, len(ids))
    found.problems.extend(Problem(None, text) for text in _vector_problems(store))
    found.problems.extend(Problem(None, text) for text in _cache_problems(store))
    found.notes.extend(_cache_notes(store))


def _database_problems(store: Store) -> Iterator[str]:
    for row in store.db.execute("pragma integrity_check"):
        if row[0] != "ok":
            yield f"database: {row[0]}"
    for table, *_ in store.db.execute("pragma foreign_key_check"):
        yield f"database: a row of {table} belongs to nothing"
    try:
        yield from _full_text_problems(store)
    except sqlite3.DatabaseError as error:
        if not isinstance(storage_error(error, store.folder), IndexDamagedError):
            raise
        yield f"full text: {error}"


def _full_text_problems(store: Store) -> Iterator[str]:
    """Compare the full text with one that is made anew; FTS5's own check would have to write."""
    store.db.execute(
        "create virtual table temp.anew using fts5"
        f"(searched_text, content='', tokenize='{TOKENIZE}')"
    )
    try:
        store.db.execute(
            "insert into temp.anew(rowid, searched_text) select id, searched_text from main.windows"
        )
        store.db.execute("create virtual table temp.anew_terms using fts5vocab(temp, anew, row)")
        store.db.execute(
            "create virtual table temp.had_terms using fts5vocab(main, windows_fts, row)"
        )
        for had, anew, what in (
            ("main.windows_fts_docsize", "temp.anew_docsize", "id, sz"),
            ("temp.had_terms", "temp.anew_terms", "term, doc, cnt"),
        ):
            for one, other in ((had, anew), (anew, had)):
                row = store.db.execute(
                    f"select {what} from {one} except select {what} from {other} limit 1"
                ).fetchone()
                if row is not None:
                    yield f"full text: not that of the windows (at {row[0]!r}); make the index anew"
                    return
    finally:
        for table in ("anew_terms", "had_terms", "anew"):
            store.db.execute(f"drop table if exists temp.{table}")


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
        digest = _sha256(document)
    except OSError as error:
        yield f"the file can't be read any more: {error.strerror}; run docqa index again"
        return
    if digest != document.sha256:
        yield "the file has changed since it was indexed; run docqa index again"


def _sha256(document: Document) -> str:
    """Return the hash of the file; of an archive's member, the known one if nothing changed."""
    holder = Path(file_of(document.path))
    if str(holder) != document.path:
        status = holder.stat()
        is_same = (status.st_size, status.st_mtime_ns) == (document.size, document.mtime_ns)
        return document.sha256 if is_same else ""
    with holder.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _vector_problems(store: Store) -> Iterator[str]:
    ids = store.window_ids()
    try:
        vectors = store.vectors(ids)
    except IndexDamagedError as error:
        yield f"vectors: {error}"
        return
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = ids[~(np.abs(lengths - 1) < _LENGTH_TOLERANCE)]
    if len(wrong):
        yield f"{len(wrong)} vectors are not of length 1, the first of window {wrong[0]}"


def _cache_problems(store: Store) -> Iterator[str]:
    dense = DenseIndex.load(store)
    if dense.rebuilt is None:
        nearest = dense.measure_self_search(store)
        if nearest < 1:
            yield (
                f"vectors' cache: only {nearest:.1%} of a sample find themselves; "
                f"delete the file vectors-* in {store.folder}"
            )
    postings = Postings.load(store)
    wrong = postings.find_wrong_words(store) if postings is not None else []
    if wrong:
        yield (
            f"words' cache: not the windows of {', '.join(map(repr, wrong[:3]))}; "
            f"delete the file words-* in {store.folder}"
        )


def _cache_notes(store: Store) -> Iterator[str]:
    dense = DenseIndex.load(store)
    if dense.rebuilt:
        yield f"vectors' cache: {dense.rebuilt}; the next question makes it anew"
    elif not dense.is_saved(store):
        yield "vectors' cache: behind the database; the next question or run mends it"
