"""Files to the shards of a collection: each shard is built as any index is, over its own files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from docqa.index.build import BuildOptions, IndexReport, Progress, build_from, files_under
from docqa.index.build import forget as forget_in_index
from docqa.index.collection.catalogue import Catalogue, remove_leftovers
from docqa.index.collection.sharing import share_out
from docqa.index.errors import (
    DiskFullError,
    IndexMismatchError,
    IndexMissingError,
    StorageError,
)
from docqa.index.lock import writer_lock
from docqa.index.models.embedder import Embedder
from docqa.index.paths import CATALOGUE, DocumentPaths, is_collection
from docqa.index.schema import DATABASE, IndexSettings
from docqa.index.store import Store
from docqa.ingest.discover import Discovery, find_files


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection whose writer's lock is held.

    Attributes:
        settings: what its shards are made with.
    """

    folder: Path
    catalogue: Catalogue
    settings: IndexSettings

    @property
    def shards(self) -> list[Path]:
        """The folders of the shards, in the order of their numbers."""
        return self.catalogue.folders(self.folder)

    def share_out(self, found: Discovery) -> list[Discovery]:
        """Return each shard's part of what was found: all that was named, and its own files."""
        paths = DocumentPaths.of_folder(self.folder)
        shares = share_out(found.files, paths, len(self.catalogue.shards))
        return [replace(found, files=files, skipped={}, empty=[]) for files in shares]


@contextmanager
def writing(
    folder: Path,
    shards: int | None = None,
    make_settings: Callable[[], IndexSettings] | None = None,
) -> Iterator[Collection]:
    """Hold a collection for writing.

    What killed runs have left is removed.

    Args:
        folder: the collection's.
        shards: how many it has, or is to have; any number if not given.
        make_settings: returns what the shards of a new collection are made with; without it, or
            without ``shards``, none is made.

    Raises:
        IndexMissingError: there is no collection, and none is to be made.
        IndexMismatchError: it has another number of shards, or there is an index of another kind.
        IndexLockedError: another process is writing to it.
        StorageError: it can't be written to.
    """
    if not is_collection(folder):
        if shards is None or make_settings is None:
            Catalogue.read(folder)  # raises that there is none, and makes no folder
        if (folder / DATABASE).exists():
            raise IndexMismatchError(
                f"{folder} holds an index that is not a collection; docqa reshard makes it one, or "
                "index into another folder"
            )
    with writer_lock(folder):
        catalogue = Catalogue.read(folder) if is_collection(folder) else None
        remove_leftovers(folder, catalogue)
        if catalogue is None:
            assert shards is not None
            assert make_settings is not None
            settings = make_settings()
            catalogue = Catalogue.new(settings, shards)
            for shard in catalogue.folders(folder):
                _make_shard(shard, settings)
            catalogue.write(folder)
        elif shards is not None and shards != len(catalogue.shards):
            had = len(catalogue.shards)
            raise IndexMismatchError(
                f"the collection in {folder} has {had} shards, not {shards}; leave --shards out, "
                f"or share the documents out anew: docqa reshard {folder} --shards {shards}"
            )
        yield Collection(folder, catalogue, _settings(folder, catalogue))


def _make_shard(folder: Path, settings: IndexSettings) -> None:
    with writer_lock(folder):
        Store.create(folder, settings).close()


def _settings(folder: Path, catalogue: Catalogue) -> IndexSettings:
    """Return what the shards are made with, as the first that can be read says."""
    failure: StorageError | None = None
    for shard in catalogue.folders(folder):
        try:
            with Store.open(shard) as store:
                if catalogue.is_made_with(store.settings):
                    return store.settings
        except StorageError as error:
            failure = failure or error
    raise StorageError(
        f"no shard of {folder} can be read{f' ({failure})' if failure else ''}; put back a copy of "
        f"them, or remove {folder / CATALOGUE} and make the collection anew"
    )


class ShardWork:
    """Builds of a collection's shards as one: their progress and their reports.

    Args:
        found: all files.
        shares: each shard's part of it.
        progress: called as any of the shards comes on.
    """

    def __init__(
        self, found: Discovery, shares: Sequence[Discovery], progress: Progress | None
    ) -> None:
        self._began = time.perf_counter()
        self._found = found
        self._progress = progress
        self._of_shards = {n: (0, len(share.files), 0) for n, share in enumerate(shares)}
        self._reports: list[IndexReport] = []
        self._failures: dict[int, StorageError] = {}

    def tell(self, shard: int, files_done: int, files: int, windows_done: int) -> None:
        """Take note of how far a shard has come."""
        self._of_shards[shard] = (files_done, files, windows_done)
        if self._progress is not None:
            self._progress(*map(sum, zip(*self._of_shards.values(), strict=True)))

    def done(self, report: IndexReport) -> None:
        """Take note of a shard's report."""
        self._reports.append(report)

    def fail(self, shard: int, error: StorageError) -> None:
        """Take note of a shard that could not be built."""
        self._failures[shard] = error

    def report(self) -> IndexReport:
        """Return the report of all shards.

        Raises:
            StorageError: one of them could not be built; the others are.
        """
        if self._failures:
            number, error = min(self._failures.items())
            rest = "the others are in line" if self._reports else "nor could any other"
            raise type(error)(f"shard {number} could not be built ({rest}): {error}") from error
        total = IndexReport(skipped=self._found.skipped, empty=self._found.empty)
        for report in self._reports:
            total.windows += report.windows
            for name in ("added", "changed", "unchanged", "removed", "stale", "failed", "gaps"):
                getattr(total, name).extend(getattr(report, name))
        _join_moved(total)
        # What could not be looked at is told by every shard, and by one that it forgot something.
        failed = {failure.path: failure for failure in total.failed}
        failed |= {
            failure.path: failure for failure in total.failed if failure not in self._found.failures
        }
        total.failed = [failed[path] for path in sorted(failed)]
        for listed in (total.added, total.changed, total.unchanged, total.removed, total.stale):
            listed.sort()
        total.gaps.sort(key=lambda gap: gap.path)
        total.seconds = time.perf_counter() - self._began
        return total


def _join_moved(report: IndexReport) -> None:
    """Tell documents as changed that one shard has removed and another has added.

    So it is once where a collection was moved without its documents.
    """
    moved = set(report.added) & set(report.removed)
    if moved:
        report.added = [path for path in report.added if path not in moved]
        report.removed = [path for path in report.removed if path not in moved]
        report.changed.extend(moved)


def build_collection(
    collection: Collection,
    embedder: Embedder,
    paths: Sequence[str | os.PathLike[str]],
    options: BuildOptions,
    progress: Progress | None = None,
) -> IndexReport:
    """Bring the shards of a collection in line with the files, one shard after the other.

    A shard that can't be written to, or is damaged, keeps no other from being built.

    Args:
        collection: from :func:`writing`.
        embedder: that it was made with.
        paths: files and folders.
        options: which files, and what each may cost.
        progress: called after each file and each batch of windows.

    Raises:
        DiskFullError: there is no room left. What was written before is kept.
        StorageError: a shard could not be built, as the kind of error says.
    """
    found = find_files(paths, options.include, options.exclude)
    shares = collection.share_out(found)
    work = ShardWork(found, shares, progress)
    for number, (folder, share) in enumerate(zip(collection.shards, shares, strict=True)):
        tell = partial(work.tell, number)
        try:
            work.done(build_shard(folder, collection.settings, embedder, share, options, tell))
        except DiskFullError:
            raise
        except StorageError as error:
            work.fail(number, error)
    return work.report()


def build_shard(
    folder: Path,
    settings: IndexSettings,
    embedder: Embedder,
    share: Discovery,
    options: BuildOptions,
    progress: Progress | None = None,
    wait: float = 0.0,
) -> IndexReport:
    """Bring a shard in line with its files; made anew where its folder is gone.

    Args:
        folder: the shard's.
        settings: of the collection's shards.
        embedder: that the collection was made with.
        share: what was found of its files.
        options, progress: as for :func:`docqa.index.build.build`.
        wait: as for :func:`docqa.index.lock.writer_lock`.
    """
    with writer_lock(folder, wait):
        try:
            store = Store.open(folder, to_write=True)
        except IndexMissingError:
            store = Store.create(folder, settings)
        with store:
            return build_from(store, embedder, share, options, progress)


def forget(collection: Collection, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Remove files, and all files under folders, from the shards of a collection.

    Args:
        collection: from :func:`writing`.
        paths: files and folders.

    Returns:
        The paths of the files that were removed, sorted.

    Raises:
        ValueError: the collection holds nothing under one of the paths; then nothing is removed.
        StorageError: a shard can't be read or written, as the kind of error says.
    """
    named = [os.path.abspath(os.fsdecode(path)) for path in paths]
    held: list[list[str]] = []
    for folder in collection.shards:
        with Store.open(folder) as store, store.snapshot():
            files = store.files()
            held.append([path for path in named if files_under(files, path)])
    for path in named:
        if not any(path in of_shard for of_shard in held):
            raise ValueError(f"the collection in {collection.folder} holds nothing under {path}")
    gone: list[str] = []
    for folder, of_shard in zip(collection.shards, held, strict=True):
        if of_shard:
            with writer_lock(folder), Store.open(folder, to_write=True) as store:
                gone += forget_in_index(store, of_shard)
    return sorted(gone)
