"""Checks a collection: each shard as any index, and that the shards are what the catalogue says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from docqa.index.collection.catalogue import Catalogue
from docqa.index.collection.documents import of_shard
from docqa.index.collection.sharing import shard_of
from docqa.index.errors import StorageError
from docqa.index.store import Store
from docqa.index.verify import Problem, Verification, verify


def verify_collection(
    folder: Path, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Check a collection against itself and against the files it was made from.

    Args:
        progress: called after each document with the number that is done, and of all.

    Raises:
        StorageError: the catalogue can't be read.
    """
    catalogue = Catalogue.read(folder)
    total = Verification()
    documents = {n: _count(shard) for n, shard in enumerate(catalogue.folders(folder))}
    all_documents = sum(documents.values())
    done = 0
    for number, shard in enumerate(catalogue.folders(folder)):
        try:
            with Store.open(shard) as store:
                found = verify(store, _later(progress, done, all_documents))
                found.problems.extend(_problems(store, catalogue, number))
        except StorageError as error:
            found = Verification([Problem(None, f"it can't be read: {of_shard(error)}")])
        done += documents[number]
        total.problems.extend(
            problem
            if problem.document is not None
            else replace(problem, problem=f"shard {number}: {problem.problem}")
            for problem in found.problems
        )
        total.notes.extend(f"shard {number}: {text}" for text in found.notes)
        for name, count in found.checked.items():
            total.checked[name] = total.checked.get(name, 0) + count
    return total


def _count(shard: Path) -> int:
    try:
        with Store.open(shard) as store:
            return store.counts()["documents"]
    except StorageError:
        return 0


def _later(
    progress: Callable[[int, int], None] | None, before: int, of_all: int
) -> Callable[[int, int], None] | None:
    """Return a progress of one shard among others."""
    if progress is None:
        return None
    return lambda done, _: progress(before + done, of_all)


def _problems(store: Store, catalogue: Catalogue, number: int) -> Iterator[Problem]:
    """Yield what is wrong with an index as a shard of its collection."""
    if not catalogue.is_made_with(store.settings):
        yield Problem(None, "it was not made as its collection was; remove its folder, and index")
    shards = len(catalogue.shards)
    for path in store.files():
        if shard_of(path, store.paths, shards) != number:
            yield Problem(path, f"it is in shard {number} and belongs to another; index again")
