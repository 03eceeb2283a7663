"""The index's one truth: a SQLite database of documents, windows, vectors and full text.

A document and all that belongs to it is written in one transaction, and each such transaction
raises the generation by one. Window ids are never used twice, so whoever holds a set of ids can
tell what is new and what is gone by comparing ids alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from docqa.index.connection import Connection, open_to_read, open_to_write
from docqa.index.documents import COLUMNS, StoredDocument, cut_text
from docqa.index.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMissingError,
    IndexUnreadableError,
)
from docqa.index.hit import Hit
from docqa.index.paths import DocumentPaths, find_paths, settle
from docqa.index.schema import (
    DATABASE,
    IndexSettings,
    create_tables,
    pack,
    read_settings,
    setting,
    unpack,
)
from docqa.index.searched import Searched
from docqa.index.system_errors import damaged, database_errors, file_errors
from docqa.ingest.document import Document, page_of
from docqa.ingest.errors import os_reason
from docqa.ingest.outline import heading_lines
from docqa.ingest.windows import Window

IdArray = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
# Documents that are copied in one transaction.
_COPIED_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class FileState:
    """What the index knows of a file.

    Attributes:
        error: why it could not be read; then the index holds no text of it.
        stale: why it could not be read the last time; then the index holds the text that it had.
    """

    size: int
    mtime_ns: int
    sha256: str | None
    error: str | None
    stale: str | None


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A window as read back; ``id`` and ``document_id`` are the database's."""

    id: int
    document_id: int
    text: str
    window: Window


class Store:
    """An open database, for one thread at a time. Use :meth:`create` or :meth:`open`, and close it.

    Example:
        >>> with Store.open(Path(".docqa")) as store, store.snapshot():
        ...     print(store.counts())
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.db = connection.db
        self.folder = connection.folder
        self.settings = read_settings(self.db, self.folder)
        self.index_id: str = setting(self.db, "index_id")
        home = setting(self.db, "home")
        self._paths = find_paths(self.db, self.folder, home)
        if connection.writes and home != DocumentPaths.of_folder(self.folder).home:
            self._paths = settle(self.db, self.folder, self._paths)

    @classmethod
    def create(cls, folder: Path, settings: IndexSettings) -> Store:
        """Make an empty index in ``folder``, or finish one that was killed while being made.

        The caller holds the writer's lock.

        Raises:
            StorageError: the folder can't be made or written to, or the disk is full.
        """
        with file_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with database_errors(folder):
            connection = open_to_write(folder, create=True)
            try:
                create_tables(connection.db, settings, folder)
                return cls(connection)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def open(cls, folder: Path, *, to_write: bool = False) -> Store:
        """Open an index.

        Args:
            to_write: whether it may be written to; the caller then holds the writer's lock.

        Raises:
            IndexMissingError: there is none in ``folder``.
            IndexDamagedError: it is not a database, or not a whole one.
            IndexMismatchError: it was made by a version of docqa with another schema.
            IndexUnreadableError: this user may not read its newest state.
        """
        try:
            (folder / DATABASE).stat()
        except (FileNotFoundError, NotADirectoryError):
            raise IndexMissingError(
                f"no index in {folder}; make one with: docqa index PATH... --index {folder}"
            ) from None
        except OSError as error:
            raise IndexUnreadableError(
                f"the index in {folder} can't be opened: {os_reason(error)}"
            ) from error
        with database_errors(folder):
            connection = open_to_write(folder) if to_write else open_to_read(folder)
            try:
                if not connection.db.table("settings").exists():
                    raise IndexMissingError(
                        f"the index in {folder} was never finished; run docqa index again"
                    )
                return cls(connection)
            except (KeyError, ValueError) as error:
                connection.db.close()
                raise damaged(folder, str(error)) from error
            except BaseException:
                connection.db.close()
                raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; what was written is then in its one file, where nobody reads on."""
        with database_errors(self.folder):
            self._connection.close()

    @property
    def is_current(self) -> bool:
        """Whether the folder still holds the database that is open."""
        return self._connection.is_current

    @property
    def paths(self) -> DocumentPaths:
        """Where the documents lie, as kept and as seen."""
        return self._paths

    @property
    def parts(self) -> Sequence[tuple[int, Store]]:
        """The databases that hold the documents, each with what is added to its ids: this one."""
        return ((0, self),)

    @property
    def searched(self) -> Searched:
        """Which share of the documents the searches of this snapshot went through: all."""
        return Searched()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold one generation: all reads inside see it, whatever is written meanwhile.

        Raises:
            StorageError: the database can't be read, as the kind of error says.
            IndexLockedError: it was written to in a folder where readers can't keep a log; what
                was read is then worth nothing.
        """
        try:
            with database_errors(self.folder), self.db.atomic():
                yield
        finally:
            if self._connection.frozen is not None and not self._connection.is_current:
                raise IndexLockedError(
                    f"the index in {self.folder} was written to while it was read; ask again"
                )

    # -- what is there ---------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """The number of transactions that changed documents."""
        return int(setting(self.db, "generation"))

    def files(self) -> dict[str, FileState]:
        """Return all files that the index knows, by absolute path."""
        rows = self.db.execute("select path, size, mtime_ns, sha256, error, stale from documents")
        return {self._paths.to_path(row[0]): FileState(*row[1:]) for row in rows}

    def counts(self) -> dict[str, int]:
        """Return how much there is of what.

        ``documents``, among them ``stale`` ones (not read again the last time), unreadable files
        (``failed``), ``windows`` and ``characters``.
        """
        row = self.db.execute(
            "select count(*) filter (where error is null), count(*) filter (where stale not null),"
            " count(*) filter (where error not null), coalesce(sum(length), 0) from documents"
        ).fetchone()
        windows = self.db.execute("select count(*) from windows").fetchone()[0]
        return {
            "documents": row[0],
            "stale": row[1],
            "failed": row[2],
            "windows": windows,
            "characters": row[3],
        }

    def document_ids(self) -> list[int]:
        """Return the ids of the documents that could be read."""
        return [row[0] for row in self.db.execute("select id from documents where error is null")]

    def document(self, document_id: int) -> StoredDocument:
        """Return a document whose text is read where it is looked at.

        Raises:
            IndexDamagedError: there is no such document.
        """
        row = self._document_row(document_id, COLUMNS)
        return StoredDocument(self.db, self._paths.to_path(row[0]), row[1:])

    def document_at(self, path: str) -> StoredDocument | None:
        """Return the document of a path as the index shows it; None where there is none."""
        row = self.db.execute(
            "select id from documents where path = ? and error is null",
            [self._paths.to_kept(path)],
        ).fetchone()
        return None if row is None else self.document(row[0])

    def full_document(self, document_id: int) -> Document:
        """Return a document with its whole text, as it was put.

        Raises:
            IndexDamagedError: there is no such document, or not all of its text.
        """
        stored = self.document(document_id)
        _, sha256, size, mtime_ns = self._document_row(document_id, "sha256, size, mtime_ns")
        pieces = self.db.execute(
            "select text from pieces where document_id = ? order by number", [document_id]
        )
        text = "".join(row[0] for row in pieces)
        if len(text) != stored.length:
            raise IndexDamagedError(
                f"the text of {stored.path} has {len(text)} of {stored.length} characters; "
                "run docqa index --rehash"
            )
        return Document(
            path=stored.path,
            format=stored.format,
            text=text,
            page_starts=stored.page_starts,
            sha256=sha256,
            size=size,
            mtime_ns=mtime_ns,
            title=stored.title,
            outline=stored.outline,
            gaps=stored.gaps,
            lines=stored.lines,
        )

    def _document_row(self, document_id: int, columns: str) -> tuple[Any, ...]:
        """Return a document's path as kept, and more columns."""
        row: tuple[Any, ...] | None = self.db.execute(
            f"select path, {columns} from documents where id = ? and error is null", [document_id]
        ).fetchone()
        if row is None:
            raise IndexDamagedError(f"document {document_id} is missing; run docqa verify")
        return row

    def document_paths(self) -> Iterator[tuple[int, str]]:
        """Yield the id and the absolute path of each document that could be read."""
        for id_, kept in self.db.execute("select id, path from documents where error is null"):
            yield id_, self._paths.to_path(kept)

    def paths_of(self, documents: Iterable[int]) -> dict[int, str]:
        """Return the absolute paths of some documents, by id."""
        rows = self.db.execute(
            "select id, path from documents where id in (select value from json_each(?))",
            [json.dumps(sorted(set(documents)))],
        )
        return {row[0]: self._paths.to_path(row[1]) for row in rows}

    def window_ids(self, documents: Sequence[int] | None = None) -> IdArray:
        """Return ``(windows,)`` the ids of windows, ascending.

        Args:
            documents: whose windows; all if not given.
        """
        # The index holds nothing else; in the table each id lies beside text and vector.
        query = "select id from windows indexed by windows_document"
        if documents is None:
            rows = self.db.execute(query)
        else:
            query += " where document_id in (select value from json_each(?))"
            rows = self.db.execute(query, [json.dumps(documents)])
        return np.sort(np.fromiter((row[0] for row in rows), np.int64))

    def present(self, ids: IdArray) -> IdArray:
        """Return those of some windows' ids that are (still) there."""
        rows = self.db.execute(
            "select id from windows where id in (select value from json_each(?))",
            [json.dumps(ids.tolist())],
        )
        return np.fromiter((row[0] for row in rows), np.int64)

    def window_texts(self, ids: Sequence[int]) -> dict[int, tuple[str, int, int]]:
        """Return for windows their texts, their documents' ids, and their starts in them."""
        rows = self.db.execute(
            "select id, text, document_id, start from windows"
            " where id in (select value from json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row[0]: row[1:] for row in rows}

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
            self._hit(found[id_], score, prominence)
            for id_, score, prominence in zip(ids, scores, prominences, strict=True)
        ]

    def _hit(self, row: tuple[Any, ...], score: float, prominence: float) -> Hit:
        id_, document_id, path, page_starts, start, end, text, token_ids, token_offsets = row
        window = _window(start, end, token_ids, token_offsets)
        page = page_of(json.loads(page_starts), start)
        number = page[0] if page else None
        document = self._paths.to_path(path)
        return Hit(id_, document_id, document, number, window, text, score, prominence)

    def document_windows(self, document_id: int) -> list[StoredWindow]:
        """Return all windows of a document, in the order of its text."""
        rows = self.db.execute(
            'select id, document_id, start, "end", text, token_ids, token_offsets from windows'
            " where document_id = ? order by start, id",
            [document_id],
        )
        return [_stored_window(row) for row in rows]

    def vectors(self, ids: IdArray) -> Vectors:
        """Return ``(ids, dimension)`` vectors of windows, in the order of ``ids`` (ascending).

        Raises:
            IndexDamagedError: one of the windows is missing, or its vector has another length.
        """
        result = np.empty((len(ids), self.settings.dimension), np.float32)
        step = 10_000
        for first in range(0, len(ids), step):
            part = ids[first : first + step].tolist()
            rows = self.db.execute(
                "select id, embedding from windows where id in (select value from json_each(?))"
                " order by id",
                [json.dumps(part)],
            )
            found = 0
            for id_, embedding in rows:
                if id_ != part[found]:
                    break
                vector = np.frombuffer(embedding, np.float16)
                if len(vector) != self.settings.dimension:
                    raise damaged(self.folder, f"the vector of window {id_} is cut short")
                result[first + found] = vector
                found += 1
            if found < len(part):
                raise IndexDamagedError(f"window {part[found]} is missing; run docqa verify")
        return result

    # -- writing; the caller holds the writer's lock ----------------------------------------

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Write all changes inside together or not at all.

        Raises:
            StorageError: they can't be written, as the kind of error says.
        """
        with database_errors(self.folder), self.db.atomic():
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
                    "path": self._paths.to_kept(document.path),
                    "format": document.format,
                    "sha256": document.sha256,
                    "size": document.size,
                    "mtime_ns": document.mtime_ns,
                    "length": len(document.text),
                    "page_starts": json.dumps(document.page_starts),
                    "title": document.title,
                    "outline": json.dumps([(h.text, h.level, h.start) for h in document.outline]),
                    "gaps": json.dumps(document.gaps),
                    "file_lines": json.dumps(document.lines),
                }
            )
            self.db.table("pieces").insert_all(
                {"document_id": row.last_pk, **piece} for piece in cut_text(document.text)
            )
            self.db.table("windows").insert_all(
                {
                    "document_id": row.last_pk,
                    "start": window.start,
                    "end": window.end,
                    "text": document.text[window.start : window.end],
                    "heading_line": line,
                    "token_ids": pack(window.token_ids),
                    "token_offsets": pack(window.token_offsets),
                    "embedding": vector.tobytes(),
                }
                for window, line, vector in zip(
                    windows,
                    heading_lines(document, [window.start for window in windows]),
                    vectors.astype(np.float16),
                    strict=True,
                )
            )

    def copy_documents(self, source: Store, ids: Sequence[int]) -> None:
        """Copy files of another index with all that belongs to them; their ids here are new.

        Args:
            source: made with the same settings and in a folder with the same home.
            ids: of its documents and of files that could not be read; none is here already.
        """
        file = (source.folder / DATABASE).absolute().as_uri()
        self.db.execute("attach database ? as source", [f"{file}?mode=ro"])
        try:
            columns = {
                table: ", ".join(
                    f'"{row[1]}"'
                    for row in self.db.execute(f"pragma main.table_info({table})")
                    if row[1] not in ("id", "document_id")
                )
                for table in ("documents", "pieces", "windows")
            }
            for first in range(0, len(ids), _COPIED_TOGETHER):
                with self._change():
                    for old in ids[first : first + _COPIED_TOGETHER]:
                        self._copy(old, columns)
        finally:
            self.db.execute("detach database source")

    def _copy(self, old: int, columns: dict[str, str]) -> None:
        names = columns["documents"]
        new = self.db.execute(
            f"insert into main.documents ({names})"
            f" select {names} from source.documents where id = ?",
            [old],
        ).lastrowid
        for table in ("pieces", "windows"):
            names = columns[table]
            self.db.execute(
                f"insert into main.{table} (document_id, {names})"
                f" select ?, {names} from source.{table} where document_id = ? order by id",
                [new, old],
            )

    def put_failure(self, path: str, error: str, size: int, mtime_ns: int) -> None:
        """Remember that a file can't be read, and why; forget what was known of it."""
        with self._change():
            self._delete(path)
            self.db.table("documents").insert(
                {
                    "path": self._paths.to_kept(path),
                    "size": size,
                    "mtime_ns": mtime_ns,
                    "error": error,
                }
            )

    def mark_stale(self, path: str, reason: str) -> None:
        """Remember why a document could not be read again; what was known of it stays."""
        with self.one_transaction():
            self.db.execute(
                "update documents set stale = ? where path = ? and error is null",
                [reason, self._paths.to_kept(path)],
            )

    def touch(self, path: str, size: int, mtime_ns: int) -> None:
        """Remember that a file was seen with the content that is known, and its time."""
        with self.one_transaction():
            self.db.execute(
                "update documents set size = ?, mtime_ns = ?, stale = null where path = ?",
                [size, mtime_ns, self._paths.to_kept(path)],
            )

    def remove(self, path: str) -> None:
        """Forget a file and all that belongs to it."""
        with self._change():
            self._delete(path)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self.one_transaction():
            yield
            self.db.execute("update settings set value = value + 1 where key = 'generation'")

    def _delete(self, path: str) -> None:
        row = self.db.execute(
            "select id from documents where path = ?", [self._paths.to_kept(path)]
        ).fetchone()
        if row is not None:
            self.db.execute("delete from windows where document_id = ?", row)
            self.db.execute("delete from pieces where document_id = ?", row)
            self.db.execute("delete from documents where id = ?", row)


def _stored_window(row: tuple[Any, ...]) -> StoredWindow:
    id_, document_id, start, end, text, token_ids, token_offsets = row
    return StoredWindow(id_, document_id, text, _window(start, end, token_ids, token_offsets))


def _window(start: int, end: int, token_ids: bytes, token_offsets: bytes) -> Window:
    return Window(start, end, unpack(token_ids), unpack(token_offsets).reshape(-1, 2))
