"""Which shard a document belongs to, and how ids of several shards are told apart."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from docqa.index.paths import DocumentPaths
from docqa.ingest.archives import is_archive

# A shard's ids are whole numbers from 1 and never used twice; 2**32 times its number is added to
# them. So ids stay below 2**53, up to which JSON's numbers are exact everywhere, for two million
# shards.
_BITS = 32


def shard_of(path: str, paths: DocumentPaths, shards: int) -> int:
    """Return the number of the shard that holds a document.

    It depends on nothing but the document's path as the index keeps it
    (:mod:`docqa.index.paths`), so that it stays when the collection is moved with its documents.
    Members of an archive go where their archive goes.

    Args:
        path: absolute.
        paths: of the collection.
        shards: how many there are.
    """
    kept = paths.to_kept(_archive(path))
    name = kept if isinstance(kept, bytes) else os.fsencode(kept)
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest()) % shards


def share_out(files: Iterable[str], paths: DocumentPaths, shards: int) -> list[list[str]]:
    """Return the files of each shard, in the order in which they are given."""
    shares: list[list[str]] = [[] for _ in range(shards)]
    for file in files:
        shares[shard_of(file, paths, shards)].append(file)
    return shares


def first_id(shard: int) -> int:
    """Return what is added to the ids of a shard to make them ids of the collection."""
    return shard << _BITS


def split_id(collection_id: int) -> tuple[int, int]:
    """Return the shard that an id of the collection belongs to, and the id in that shard."""
    return collection_id >> _BITS, collection_id & ((1 << _BITS) - 1)


def _archive(path: str) -> str:
    """Return the archive that a path leads into, by its name alone; else the path."""
    at = 0
    while (at := path.find(os.sep, at + 1)) > 0:
        if is_archive(path[:at]):
            return path[:at]
    return path
