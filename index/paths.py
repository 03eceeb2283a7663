"""How an index keeps the paths of its documents, so that it can be moved together with them.

Documents below the folder that the index's own folder lies in are kept relative to that folder,
unless it is the root of the file system; all others are kept absolute. With the index in
``/home/mira/contracts/.docqa``, ``/home/mira/contracts/lease.pdf`` is kept as ``lease.pdf``. A
shard of a collection keeps them as an index in the collection's folder would.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlite_utils import Database

from docqa.ingest.archives import file_of

# How many documents are looked for to find out where a moved index has its documents.
_SAMPLE = 20
# In a collection's folder; see docqa.index.collection.catalogue.
CATALOGUE = "collection.json"
# Where the shards of a collection lie, below its folder: SHARDS_PREFIX, the generation of their
# sharing out, and their number.
SHARDS_PREFIX = "shards-"
_SHARDS_FOLDER = re.compile(rf"{SHARDS_PREFIX}\d{{4,}}")


@dataclass(frozen=True, slots=True)
class DocumentPaths:
    """The paths of an index's documents, as kept and as seen.

    Attributes:
        home: the folder that relative paths start from.
    """

    home: str

    @classmethod
    def of_folder(cls, folder: Path) -> DocumentPaths:
        """Return the paths of an index that was not moved."""
        return cls(str(whole_folder(folder).parent))

    def to_kept(self, path: str) -> str | bytes:
        """Return the form in which the database keeps an absolute path.

        Text; bytes where the name is not UTF-8.
        """
        below = self.home.rstrip(os.sep) + os.sep
        if len(below) > 1 and path.startswith(below):
            path = path[len(below) :]
        try:
            path.encode()
        except UnicodeEncodeError:
            return os.fsencode(path)
        return path

    def to_path(self, kept: str | bytes) -> str:
        """Return the absolute path that is kept as ``kept``."""
        return os.path.join(self.home, os.fsdecode(kept))


def is_collection(folder: Path) -> bool:
    """Return whether a folder holds a collection."""
    return (folder / CATALOGUE).exists()


def whole_folder(folder: Path) -> Path:
    """Return the absolute folder of an index; of a shard, the folder of its whole collection."""
    folder = folder.absolute()
    if folder.name.isdecimal() and _SHARDS_FOLDER.fullmatch(folder.parent.name):
        return folder.parent.parent
    return folder


def find_paths(db: Database, folder: Path, recorded_home: str) -> DocumentPaths:
    """Return where the documents of an index are now, which may have been moved.

    Moved together with its documents, the index finds them beside its present folder. Moved or
    copied alone, it finds them where they were.

    Args:
        folder: the index's, as it is opened.
        recorded_home: the home when the index was last written to.
    """
    present, recorded = DocumentPaths.of_folder(folder), DocumentPaths(recorded_home)
    if present == recorded:
        return present
    rows = db.execute("select path from documents order by id")
    kept = (row[0] for row in rows)
    relative = list(islice((k for k in kept if not os.fsdecode(k).startswith(os.sep)), _SAMPLE))
    for paths in (present, recorded):
        if any(os.path.lexists(file_of(paths.to_path(kept))) for kept in relative):
            return paths
    return present


def settle(db: Database, folder: Path, paths: DocumentPaths) -> DocumentPaths:
    """Keep the paths of a moved index in the form that its present folder asks for.

    Args:
        db: open for writing.
        paths: where the documents are now.

    Returns:
        The paths of the index as it is kept from now on.
    """
    present = DocumentPaths.of_folder(folder)
    with db.atomic():
        kept = {row[0]: row[1] for row in db.execute("select path, id from documents")}
        for old, document_id in list(kept.items()):
            new = present.to_kept(paths.to_path(old))
            if new == old:
                continue
            if new in kept:  # known both ways; the one that was under this name already stays
                db.execute("delete from windows where document_id = ?", [document_id])
                db.execute("delete from pieces where document_id = ?", [document_id])
                db.execute("delete from documents where id = ?", [document_id])
            else:
                db.execute("update documents set path = ? where id = ?", [new, document_id])
                kept[new] = document_id
            del kept[old]
        db.execute("update settings set value = ? where key = 'home'", [json.dumps(present.home)])
        db.execute("update settings set value = value + 1 where key = 'generation'")
    return present
