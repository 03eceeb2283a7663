"""The index's one truth: a SQLite database of documents, windows, vectors and full text.

A document and all that belongs to it is written in one transaction, and each such transaction
raises the generation by one. Window ids are never used twice, so whoever holds a set of ids can
tell what is new and what is gone by comparing ids alone.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlite_utils import Database

from docqa.index.errors import IndexDamagedError, IndexMissingError
from docqa.index.hit import Hit
from docqa.index.schema import (
    DATABASE,
    IndexSettings,
    connect,
    create_tables,
    pack,
    path_of,
    path_value,
    read_settings,
    setting,
    unpack,
)
from docqa.ingest.document import Document
from docqa.ingest.windows import Window

IdArray = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FileState:
    """What the index knows of a file."""

    size: int
    mtime_ns: int
    sha256: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A window as read back; ``id`` and ``document_id`` are the database's."""

    id: int
    document_id: int
    text: str
    window: Window


class Store:
    """An open database. Use :meth:`create` or :meth:`open`."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.settings = read_settings(db, folder)
        self.index_id = setting(db, "index_id")

    @classmethod
    def create(cls, folder: Path, settings: IndexSettings) -> Store:
        """Make an empty index in ``folder``, or finish one that was killed while being made.

        The caller holds the writer's lock.
        """
        folder.mkdir(parents=True, exist_ok=True)
        db = connect(folder)
        db.enable_wal()
        create_tables(db, settings)
        return cls(db, folder)

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open an index to read it (and, holding the writer's lock, to write to it).

        Raises:
            IndexMissingError: there is none in ``folder``.
            IndexDamagedError: it is not a database, or not a whole one.
            IndexMismatchError: it was made by a version of docqa with another schema.
        """
        if not (folder / DATABASE).exists():
            raise IndexMissingError(
                f"no index in {folder}; make one with: docqa index PATH... --index {folder}"
            )
        try:
            db = connect(folder)
            if not db.table("settings").exists():
                raise IndexMissingError(
                    f"the index in {folder} was never finished; run docqa index again"
                )
            return cls(db, folder)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            raise IndexDamagedError(
                f"the index in {folder} can't be read ({error}); "
                "delete the folder and run docqa index again"
            ) from error

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one and the same generation, whatever is written meanwhile."""
        with self.db.atomic():
            yield

    # -- what is there ---------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """Counts the transactions that changed documents."""
        return int(setting(self.db, "generation"))

    def files(self) -> dict[str, FileState]:
        """All files the index knows, by path."""
        rows = self.db.execute("select path, size, mtime_ns, sha256, error from documents")
        return {path_of(row[0]): FileState(*row[1:]) for row in rows}

    def counts(self) -> dict[str, int]:
        """How many documents, unreadable files (``failed``), windows and characters there are."""
        row = self.db.execute(
            "select count(*) filter (where error is null), count(*) filter (where error not null),"
            " coalesce(sum(length(text)), 0) from documents"
        ).fetchone()
        windows = self.db.execute("select count(*) from windows").fetchone()[0]
        return {"documents": row[0], "failed": row[1], "windows": windows, "characters": row[2]}

    def document_ids(self) -> list[int]:
        """Ids of the documents that could be read."""
        return [row[0] for row in self.db.execute("select id from documents where error is null")]

    def document(self, document_id: int) -> Document:
        """One document, with its text.

        Raises:
            IndexDamagedError: there is no such document.
        """
        row = self.db.execute(
            "select path, format, text, page_starts, sha256, size, mtime_ns from documents"
            " where id = ? and error is null",
            [document_id],
        ).fetchone()
        if row is None:
            raise IndexDamagedError(f"document {document_id} is missing; run docqa verify")
        path, format_, text, page_starts, *rest = row
        return Document(path_of(path), format_, text, tuple(json.loads(page_starts)), *rest)

    def window_ids(self) -> IdArray:
        """``(windows,)`` all ids, ascending."""
        # The index holds nothing else; in the table each id lies beside text and vector.
        rows = self.db.execute("select id from windows indexed by windows_document")
        return np.sort(np.fromiter((row[0] for row in rows), np.int64))

    def present(self, ids: IdArray) -> IdArray:
        """Those of some windows that are (still) there."""
        rows = self.db.execute(
            "select id from windows where id in (select value from json_each(?))",
            [json.dumps(ids.tolist())],
        )
        return np.fromiter((row[0] for row in rows), np.int64)

    def hits(
        self, ids: Sequence[int], scores: Sequence[float], prominences: Sequence[float]
    ) -> list[Hit]:
        """Return windows as hits, all that reading them takes, in the order of ``ids``.

        Args:
            scores, prominences: of each window (:class:`Hit`).

        Raises:
            IndexDamagedError: a window is missing.
        """
        rows = self.db.execute(
            'select w.id, w.document_id, d.path, d.page_starts, w.start, w."end", w.text,'
            " w.token_ids, w.token_offsets from windows w join documents d on d.id = w.document_id"
            " where w.id in (select value from json_each(?))",
            [json.dumps(list(ids))],
        )
        found = {row[0]: row for row in rows}
        missing = next((id_ for id_ in ids if id_ not in found), None)
        if missing is not None:
            raise IndexDamagedError(f"window {missing} is missing; run docqa verify")
        return [
            _hit(found[id_], score, prominence)
            for id_, score, prominence in zip(ids, scores, prominences, strict=True)
        ]

    def document_windows(self, document_id: int) -> list[StoredWindow]:
        """All windows of a document, in the order of its text."""
        rows = self.db.execute(
            'select id, document_id, start, "end", text, token_ids, token_offsets from windows'
            " where document_id = ? order by start, id",
            [document_id],
        )
        return [_stored_window(row) for row in rows]

    def vectors(self, ids: IdArray) -> Vectors:
        """``(ids, dimension)`` vectors of windows, in the order of ``ids`` (ascending)."""
        result = np.empty((len(ids), self.settings.dimension), np.float32)
        step = 10_000
        for first in range(0, len(ids), step):
            part = ids[first : first + step].tolist()
            rows = self.db.execute(
                "select embedding from windows where id in (select value from json_each(?))"
                " order by id",
                [json.dumps(part)],
            )
            for place, row in enumerate(rows, first):
                result[place] = np.frombuffer(row[0], np.float16)
        return result

    # -- writing; the caller holds the writer's lock ----------------------------------------

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """All changes inside are written together or not at all."""
        with self.db.atomic():
            yield

    def put(self, document: Document, windows: Sequence[Window], vectors: Vectors) -> None:
        """Write a document with its windows, replacing what was there under its path.

        Args:
            vectors: ``(windows, dimension)``, of length 1.
        """
        with self._change():
            self._delete(document.path)
            row = self.db.table("documents").insert(
                {
                    "path": path_value(document.path),
                    "format": document.format,
                    "sha256": document.sha256,
                    "size": document.size,
                    "mtime_ns": document.mtime_ns,
                    "text": document.text,
                    "page_starts": json.dumps(document.page_starts),
                    "error": None,
                }
            )
            self.db.table("windows").insert_all(
                {
                    "document_id": row.last_pk,
                    "start": window.start,
                    "end": window.end,
                    "text": document.text[window.start : window.end],
                    "token_ids": pack(window.token_ids),
                    "token_offsets": pack(window.token_offsets),
                    "embedding": vector.tobytes(),
                }
                for window, vector in zip(windows, vectors.astype(np.float16), strict=True)
            )

    def put_failure(self, path: str, error: str, size: int, mtime_ns: int) -> None:
        """Remember that a file could not be read, and why; forget what was known of it."""
        with self._change():
            self._delete(path)
            self.db.table("documents").insert(
                {
                    "path": path_value(path),
                    "size": size,
                    "mtime_ns": mtime_ns,
                    "error": error,
                }
            )

    def touch(self, path: str, size: int, mtime_ns: int) -> None:
        """Remember a file's new time; its content is as it was."""
        with self.db.atomic():
            self.db.execute(
                "update documents set size = ?, mtime_ns = ? where path = ?",
                [size, mtime_ns, path_value(path)],
            )

    def remove(self, path: str) -> None:
        """Forget a file and all that belongs to it."""
        with self._change():
            self._delete(path)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self.db.atomic():
            yield
            self.db.execute("update settings set value = value + 1 where key = 'generation'")

    def _delete(self, path: str) -> None:
        self.db.execute(
            "delete from windows where document_id = (select id from documents where path = ?)",
            [path_value(path)],
        )
        self.db.execute("delete from documents where path = ?", [path_value(path)])


def _stored_window(row: tuple[Any, ...]) -> StoredWindow:
    id_, document_id, start, end, text, token_ids, token_offsets = row
    offsets = unpack(token_offsets).reshape(-1, 2)
    return StoredWindow(id_, document_id, text, Window(start, end, unpack(token_ids), offsets))


def _hit(row: tuple[Any, ...], score: float, prominence: float) -> Hit:
    id_, document_id, path, page_starts, start, end, text, token_ids, token_offsets = row
    window = Window(start, end, unpack(token_ids), unpack(token_offsets).reshape(-1, 2))
    page = bisect_right(json.loads(page_starts), start) or None
    return Hit(id_, document_id, path_of(path), page, window, text, score, prominence)
