"""The documents of an index as a list: for whoever looks around before asking."""

from __future__ import annotations

import os
from dataclasses import dataclass

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
    store: Store, part: str = "", offset: int = 0, limit: int = 100
) -> tuple[list[ListedDocument], int]:
    """Return a page of the documents, by path, and how many there are in all.

    Args:
        store: inside a snapshot.
        part: only those whose path or title holds this, whatever its capitals.
    """
    pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in part) + "%"
    where = (
        "from documents where error is null and (cast(path as text) like :pattern escape '\\'"
        " or title like :pattern escape '\\')"
    )
    values = {"pattern": pattern, "limit": limit, "offset": offset}
    rows = store.db.execute(
        f"select {_COLUMNS} {where} order by path limit :limit offset :offset", values
    )
    documents = [
        ListedDocument(
            id_, store.paths.to_path(kept), title, format_, pages or None, characters, size, stale
        )
        for id_, kept, title, format_, pages, characters, size, stale in rows
    ]
    return documents, store.db.execute(f"select count(*) {where}", values).fetchone()[0]


def documents_root(store: Store) -> str:
    """Return the deepest folder that holds all documents; the index's own home without any.

    The first and the last of sorted paths have in common what all have.
    """
    rows = store.db.execute(
        "select min(path), max(path) from documents where error is null"
        " group by typeof(path), substr(cast(path as text), 1, 1) = '/'"
    )
    folders = {os.path.split(store.paths.to_path(kept))[0] for row in rows for kept in row}
    return os.path.commonpath(folders) if folders else store.paths.home
