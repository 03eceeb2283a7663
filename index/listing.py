"""The documents of an index as a list: for whoever looks around before asking."""

from __future__ import annotations

import os
from dataclasses import dataclass

from docqa.index.protocols import Documents
from docqa.index.store import Store

_COLUMNS = "id, path, title, format, json_array_length(page_starts), length, size, stale"


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document that could be read, without its text.

    Attributes:
        path: absolute.
        pages: how many pages; None where the format has none.
        characters: how long the text is, in code points.
        size: of the file, in bytes.
        stale: why the file could not be read the last time; None where it could.
    """

    id: int
    path: str
    title: str | None
    format: str
    pages: int | None
    characters: int
    size: int
    stale: str | None


def list_documents(
    documents: Documents, part: str = "", offset: int = 0, limit: int = 100
) -> tuple[list[ListedDocument], int]:
    """Return a page of the documents, by path, and how many there are in all.

    Args:
        documents: inside a snapshot.
        part: only those whose path or title holds this, whatever its capitals.
        limit: the most documents; -1 for all.
    """
    pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in part) + "%"
    end = -1 if limit < 0 else offset + limit
    listed: list[tuple[bytes | str, ListedDocument]] = []
    total = 0
    for first, store in documents.parts:
        found, count = _list_part(store, first, pattern, end)
        listed += found
        total += count
    if len(documents.parts) > 1:
        listed.sort(key=lambda one: (isinstance(one[0], bytes), one[0]))  # as SQLite sorts them
    return [one for _, one in listed[offset : None if end < 0 else end]], total


def _list_part(
    store: Store, first: int, pattern: str, end: int
) -> tuple[list[tuple[bytes | str, ListedDocument]], int]:
    """Return the first documents of a database with their paths as kept, and how many there are."""
    where = (
        "from documents where error is null and (cast(path as text) like :pattern escape '\\'"
        " or title like :pattern escape '\\')"
    )
    values = {"pattern": pattern, "limit": end}
    rows = store.db.execute(f"select {_COLUMNS} {where} order by path limit :limit", values)
    documents = [
        (
            kept,
            ListedDocument(
                first + id_,
                store.paths.to_path(kept),
                title,
                format_,
                pages or None,
                characters,
                size,
                stale,
            ),
        )
        for id_, kept, title, format_, pages, characters, size, stale in rows
    ]
    return documents, store.db.execute(f"select count(*) {where}", values).fetchone()[0]


def documents_root(documents: Documents) -> str:
    """Return the deepest folder that holds all documents; the index's own home without any.

    The first and the last of sorted paths have in common what all have.
    """
    folders = set()
    for _, store in documents.parts:
        rows = store.db.execute(
            "select min(path), max(path) from documents where error is null"
            " group by typeof(path), substr(cast(path as text), 1, 1) = '/'"
        )
        folders |= {os.path.split(store.paths.to_path(kept))[0] for row in rows for kept in row}
    return os.path.commonpath(folders) if folders else documents.paths.home
