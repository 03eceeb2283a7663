"""Another number of shards for a collection, or shards for an index: nothing is read or embedded.

The new shards are made beside the old ones. Then the catalogue is replaced, and the old ones are
removed. A run that is killed leaves the old collection or the new one, whole; what it leaves
besides is removed by the next run that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from docqa.index.build import save_caches
from docqa.index.collection.catalogue import Catalogue, remove_leftovers, shard_names
from docqa.index.collection.sharing import shard_of
from docqa.index.errors import IndexDamagedError
from docqa.index.lock import writer_lock
from docqa.index.paths import is_collection
from docqa.index.store import Store


@dataclass(frozen=True, slots=True)
class Reshared:
    """What came of sharing documents out anew.

    Attributes:
        before: how many shards there were; 0 where it was one index.
        shards: how many there are.
        documents: files that were shared out.
        windows: how many the new shards hold.
    """

    before: int
    shards: int
    documents: int
    windows: int


def reshard(
    folder: Path, shards: int, progress: Callable[[int, int], None] | None = None
) -> Reshared:
    """Share the documents of a collection, or of an index, out to another number of shards.

    It takes as much room again as the collection, until it is done.

    Args:
        folder: the collection's or the index's.
        shards: how many there are to be.
        progress: called with the documents that are done, and of all.

    Raises:
        IndexMissingError: there is neither.
        IndexLockedError: another process is writing to it.
        DiskFullError: there is no room; then everything is as it was.
        StorageError: a shard can't be read, as the kind of error says; then likewise.
    """
    if not is_collection(folder):
        Store.open(folder).close()  # raises that there is none, and makes no folder
    with writer_lock(folder):
        old = _present(folder)
        remove_leftovers(folder, old)
        try:
            with _sources(folder, old) as sources:
                if old is None:
                    new = Catalogue.new(sources[0].settings, shards)
                else:
                    number = old.generation + 1
                    new = replace(old, generation=number, shards=shard_names(number, shards))
                documents, windows = _copy(sources, new.folders(folder), progress)
            new.write(folder)
        finally:
            # Whichever shards the catalogue names stay; the others may have filled the disk.
            remove_leftovers(folder, _present(folder))
    return Reshared(0 if old is None else len(old.shards), shards, documents, windows)


def _present(folder: Path) -> Catalogue | None:
    return Catalogue.read(folder) if is_collection(folder) else None


def _copy(
    sources: Sequence[Store], targets: Sequence[Path], progress: Callable[[int, int], None] | None
) -> tuple[int, int]:
    """Make new shards of what sources hold; return how many files and windows they hold."""
    moves = _moves(sources, len(targets))
    documents = sum(len(ids) for row in moves for ids in row)
    done = windows = 0
    for target, of_sources in zip(targets, moves, strict=True):
        with writer_lock(target), Store.create(target, sources[0].settings) as store:
            for source, ids in zip(sources, of_sources, strict=True):
                store.copy_documents(source, ids)
                done += len(ids)
                if progress is not None:
                    progress(done, documents)
            windows += store.counts()["windows"]
            save_caches(store)
    return documents, windows


@contextmanager
def _sources(folder: Path, catalogue: Catalogue | None) -> Iterator[list[Store]]:
    """Open what holds the documents now; to write, so that paths are kept as for this folder."""
    folders = [folder] if catalogue is None else catalogue.folders(folder)
    with ExitStack() as opened:
        stores = []
        for one in folders:
            if catalogue is not None:
                opened.enter_context(writer_lock(one))
            stores.append(opened.enter_context(Store.open(one, to_write=True)))
            if catalogue is not None and not catalogue.is_made_with(stores[-1].settings):
                raise IndexDamagedError(
                    f"the index in {one} was not made as its collection was; run docqa verify"
                )
        yield stores


def _moves(sources: Sequence[Store], shards: int) -> list[list[list[int]]]:
    """Return for each new shard the ids of the files that it gets from each source, by path."""
    moves: list[list[list[int]]] = [[[] for _ in sources] for _ in range(shards)]
    for n, source in enumerate(sources):
        for id_, kept in source.db.execute("select id, path from documents order by path"):
            path = source.paths.to_path(kept)
            moves[shard_of(path, source.paths, shards)][n].append(id_)
    return moves
