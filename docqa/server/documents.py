"""The index's documents as clients see them: by number, with paths from the documents' own folder.

A client never names a path of the server. Documents have the index's numbers; what is shown of
their paths starts at the deepest folder that holds all of them, and uploads are in ``uploads/``.
"""

from __future__ import annotations

import glob
import json
import os
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docqa.index.documents import StoredDocument
from docqa.index.errors import IndexDamagedError
from docqa.index.protocols import Documents
from docqa.index.store import Store
from docqa.ingest.archives import file_of
from docqa.server.replies import RefusedError, not_found

UPLOADS = "uploads"

_COLUMNS = (
    "id, format, title, json_array_length(page_starts), size, coalesce(length, 0), error, stale"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the catalog: what it is sorted and found by."""

    shown: str
    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Names:
    """How paths are shown and understood.

    Attributes:
        root: the deepest folder that holds all documents but the uploads.
        uploads: the folder of uploads.
        as_they_are: whether paths are shown as they are.
    """

    root: str
    uploads: str
    as_they_are: bool

    def shown(self, path: str) -> str:
        """Return a document's path as clients see it."""
        if self.as_they_are:
            return path
        below = self.uploads + os.sep
        if path.startswith(below):
            return os.path.join(UPLOADS, path[len(below) :])
        relative = os.path.relpath(path, self.root)
        return Path(path).name if relative.startswith(os.pardir + os.sep) else relative

    def meant(self, within: Sequence[str]) -> tuple[str, ...]:
        """Return what a client's folders, files and globs mean on the server.

        Raises:
            RefusedError: one of them leads out of the documents' folder.
        """
        meant: list[str] = []
        for entry in within:
            if "\0" in entry or not entry.strip():
                raise RefusedError(422, "within: a folder, a file or a glob has a name")
            if self.as_they_are and entry.startswith("/"):
                meant.append(entry)
                continue
            parts = [part for part in entry.split("/") if part not in ("", os.curdir)]
            if entry.startswith("/") or os.pardir in parts:
                raise RefusedError(422, "within: name folders and files as answers show them")
            meant.append(os.path.join(self.root, *parts))
            if any(sign in entry for sign in "*?["):
                meant.append(os.path.join(glob.escape(self.root), *parts))
            if parts[:1] == [UPLOADS]:
                meant.append(os.path.join(self.uploads, *parts[1:]))
        return tuple(dict.fromkeys(meant))

    def show_in(self, value: Any) -> Any:
        """Return a value of JSON with every document's path as clients see it."""
        if isinstance(value, dict):
            return {
                key: self.shown(inner)
                if key == "document" and isinstance(inner, str)
                else self.show_in(inner)
                for key, inner in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.show_in(inner) for inner in value]
        return value


class Catalog:
    """The list of an index's documents, made anew for each of its generations.

    Args:
        uploads: the folder of uploads.
        show_paths: whether clients see paths as they are.
    """

    def __init__(self, uploads: Path, show_paths: bool) -> None:
        self._uploads = str(uploads)
        self._show_paths = show_paths
        self._turn = threading.Lock()
        self._names: tuple[tuple[str, int], Names] | None = None
        self._entries: tuple[tuple[str, int], list[Entry]] | None = None

    def names(self, store: Documents) -> Names:
        """Return how paths are shown.

        Args:
            store: inside a snapshot.
        """
        state = (store.index_id, store.generation)
        with self._turn:
            if self._names is None or self._names[0] != state:
                paths = (
                    part.paths.to_path(row[0])
                    for _, part in store.parts
                    for row in part.db.execute("select path from documents")
                )
                below = self._uploads + os.sep
                folders = {str(Path(path).parent) for path in paths if not path.startswith(below)}
                root = os.path.commonpath(folders) if folders else store.paths.home
                self._names = state, Names(root, self._uploads, self._show_paths)
            return self._names[1]

    def entries(self, store: Documents) -> list[Entry]:
        """Return all documents, by path; also those that could not be read."""
        names = self.names(store)
        state = (store.index_id, store.generation)
        with self._turn:
            if self._entries is None or self._entries[0] != state:
                entries = [
                    Entry(names.shown(part.paths.to_path(row[0])), first + row[1], row[2] or "")
                    for first, part in store.parts
                    for row in part.db.execute("select path, id, title from documents")
                ]
                self._entries = state, sorted(entries, key=lambda entry: (entry.shown, entry.id))
            return self._entries[1]

    def page(self, store: Documents, offset: int, limit: int, words: str) -> dict[str, Any]:
        """Return a part of the list, and how many documents there are in all.

        Args:
            words: only documents whose path or title holds this, whatever its capitals.
        """
        entries = self.entries(store)
        if wanted := words.casefold():
            entries = [
                entry
                for entry in entries
                if wanted in entry.shown.casefold() or wanted in entry.title.casefold()
            ]
        chosen = entries[offset : offset + limit]
        found = {
            first + row[0]: row
            for first, part in store.parts
            for row in part.db.execute(
                f"select {_COLUMNS} from documents where id in (select value from json_each(?))",
                [json.dumps([entry.id - first for entry in chosen])],
            )
        }
        documents = [_listed(entry, found[entry.id]) for entry in chosen if entry.id in found]
        return {"documents": documents, "total": len(entries)}


def _listed(entry: Entry, row: tuple[Any, ...]) -> dict[str, Any]:
    _, format_, title, pages, size, characters, error, stale = row
    return {
        "id": entry.id,
        "path": entry.shown,
        "name": Path(entry.shown).name,
        "title": title,
        "format": format_,
        "pages": pages or None,
        "size": size,
        "characters": characters,
        "state": "failed" if error is not None else "stale" if stale is not None else "ok",
        "reason": error if error is not None else stale,
    }


def document_of(store: Documents, document_id: int) -> StoredDocument:
    """Return a document by its number.

    Raises:
        RefusedError: there is none, or it could not be read.
    """
    try:
        return store.document(document_id)
    except IndexDamagedError:
        raise not_found("document") from None


def path_of(store: Documents, document_id: int) -> str:
    """Return the path of a document, or of a file that could not be read.

    Raises:
        RefusedError: there is none.
    """
    part, (path,) = _row(store, document_id, "path")
    return part.paths.to_path(path)


def _row(store: Documents, document_id: int, columns: str) -> tuple[Store, tuple[Any, ...]]:
    """Return columns of a document or of a file that could not be read, and where it is.

    Raises:
        RefusedError: there is none.
    """
    for first, part in store.parts:
        row: tuple[Any, ...] | None = part.db.execute(
            f"select {columns} from documents where id = ?", [document_id - first]
        ).fetchone()
        if row is not None:
            return part, row
    raise not_found("document")


def unchanged_file(store: Documents, document_id: int) -> tuple[str, os.stat_result]:
    """Return the file of a document, if it is still the one that was indexed.

    Else the file may be anything: what was put in its place, or what a link now leads to.

    Raises:
        RefusedError: there is no such document, or its file has changed or is gone.
    """
    part, (kept, error, *state) = _row(store, document_id, "path, error, size, mtime_ns")
    if error is not None:
        raise not_found("document")
    path = part.paths.to_path(kept)
    if file_of(path) != path:
        raise RefusedError(404, "the document is in an archive; only its text and pages are shown")
    try:
        status = Path(path).stat()
    except OSError:
        raise RefusedError(404, "the document's file is not there any more") from None
    if not stat.S_ISREG(status.st_mode) or [status.st_size, status.st_mtime_ns] != state:
        raise RefusedError(404, "the document's file has changed since it was indexed")
    return path, status
