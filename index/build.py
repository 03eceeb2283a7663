"""Files to an index: what is new is added, what changed replaced, what vanished removed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer

from docqa.index.dense import DenseIndex
from docqa.index.full_text import FullText
from docqa.index.models.embedder import Embedder
from docqa.index.paths import whole_folder
from docqa.index.store import FileState, Store
from docqa.index.system_errors import database_errors, file_errors
from docqa.ingest.archives import file_of, is_archive
from docqa.ingest.discover import Discovery, find_files
from docqa.ingest.document import Document, Failure, Gap, LoadLimits
from docqa.ingest.outline import heading_lines
from docqa.ingest.read_ahead import ahead
from docqa.ingest.reading_text import reading_text
from docqa.ingest.windows import Window, plain_tokenizer, split, tokenize
from docqa.ingest.workers.pool import LoaderPool

# Documents are embedded and written together once they have so many windows: enough for batches
# of one length, few enough that little is lost with a run that is stopped or killed.
_WINDOWS_TOGETHER = 256
# The next document is not begun while so many windows wait to be embedded.
_WINDOWS_AHEAD = 1024


@dataclass
class IndexReport:
    """What one run did.

    Attributes:
        added, changed, unchanged, removed: paths of documents.
        failed: files and folders that could not be read, each with its reason.
        stale: paths of documents whose file could not be read this time, for a reason that may
            pass; the index keeps what it had of them.
        gaps: what is missing of documents that were read in this run.
        skipped: how many files were left out since their kind is not known, by suffix.
        empty: named folders with nothing in them to read.
        windows: how many windows the index holds now.
        seconds: how long it took.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    windows: int = 0
    seconds: float = 0.0


class Progress(Protocol):
    """What a run calls as it comes on; the command line draws it."""

    def __call__(self, files_done: int, files: int, windows_done: int) -> None: ...


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Which files a run takes and what each may cost; see :func:`discover.find_files`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    limits: LoadLimits = field(default_factory=LoadLimits)
    workers: int | None = None
    rehash: bool = False


def build(
    store: Store,
    embedder: Embedder,
    paths: Sequence[str | os.PathLike[str]],
    options: BuildOptions,
    progress: Progress | None = None,
) -> IndexReport:
    """Bring the index in line with the files.

    The caller holds :func:`docqa.index.lock.writer_lock`.

    Documents are read and cut into windows in parallel with embedding, and written as soon as some
    hundred windows are embedded, in one transaction, so a run that is killed loses only what it had
    not yet written, and the next one goes on from there. What is held in memory does not grow with
    the number of documents.

    Args:
        store: open to write, and made with ``embedder``.
        paths: files and folders.
        options: which files, and what each may cost.
        progress: called after each file and each batch of windows.

    Raises:
        DiskFullError: there is no room left. What was written before is kept.
        StorageError: the index can't be read or written, as the kind of error says.
    """
    began = time.perf_counter()
    found = find_files(paths, options.include, options.exclude)
    report = build_from(store, embedder, found, options, progress)
    report.seconds = time.perf_counter() - began
    return report


def build_from(
    store: Store,
    embedder: Embedder,
    found: Discovery,
    options: BuildOptions,
    progress: Progress | None = None,
) -> IndexReport:
    """:func:`build` from what was found below the named paths, or a shard's part of it."""
    with database_errors(store.folder):
        _remove_leftovers(store)
        return _Run(store, embedder, options, progress).run(found)


def forget(store: Store, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Remove files, and all files under folders, from the index.

    The caller holds :func:`docqa.index.lock.writer_lock`. The files themselves are not touched, and
    need not be there any more.

    Args:
        store: open to write.
        paths: files and folders.

    Returns:
        The paths of the files that were removed, sorted.

    Raises:
        ValueError: the index holds nothing under one of the paths; then nothing is removed.
        StorageError: the index can't be read or written, as the kind of error says.
    """
    with database_errors(store.folder):
        _remove_leftovers(store)
        known = store.files()
        gone: set[str] = set()
        for path in paths:
            named = os.path.abspath(os.fsdecode(path))
            found = files_under(known, named)
            if not found:
                raise ValueError(f"the index in {store.folder} holds nothing under {named}")
            gone |= found
        with store.one_transaction():
            for file in gone:
                store.remove(file)
        save_caches(store)
    return sorted(gone)


def files_under(files: Iterable[str], path: str) -> set[str]:
    """Return those of some files that are an absolute path or lie below it."""
    return {file for file in files if _is_under(file, path)}


def save_caches(store: Store) -> DenseIndex:
    """Bring the caches beside a store in line with it, and return the vectors."""
    dense = DenseIndex.load(store)
    if not dense.is_saved(store):
        dense = dense.save(store)
    FullText.refresh(store)
    return dense


@dataclass(frozen=True, slots=True)
class _Cut:
    """A document and its windows; None where the index has it already."""

    document: Document
    windows: list[Window] | None


def _weight(result: _Cut | Failure) -> int:
    """Windows that wait; what has none takes room, too."""
    return 1 if isinstance(result, Failure) else 1 + len(result.windows or ())


class _Run:
    def __init__(
        self, store: Store, embedder: Embedder, options: BuildOptions, progress: Progress | None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._options = options
        self._progress = progress
        self._tokenizer = plain_tokenizer(Tokenizer.from_str(store.settings.tokenizer))
        self._known = store.files()
        self._report = IndexReport()
        self._waiting: list[tuple[Document, list[Window]]] = []
        self._windows_waiting = 0
        self._files = 0
        self._files_done = 0
        self._windows_done = 0

    def run(self, discovery: Discovery) -> IndexReport:
        began = time.perf_counter()
        self._files = len(discovery.files)
        for failure in discovery.failures:
            self._fail_to_look(failure)
        self._report.skipped = discovery.skipped
        self._report.empty = discovery.empty
        held = _members_of(self._known, filter(is_archive, discovery.files))
        index = str(whole_folder(self._store.folder))
        for path in _vanished(self._known, discovery, held, index):
            self._remove(path)
        with LoaderPool(self._options.limits, self._options.workers) as pool:
            files = [path for path in discovery.files if not is_archive(path)]
            files += self._list_archives(pool, held)
            changed = [path for path in files if not self._is_as_known(path)]
            self._load(pool, changed)
        self._flush()
        dense = save_caches(self._store)
        report = self._report
        for listed in (
            report.added,
            report.changed,
            report.unchanged,
            report.removed,
            report.stale,
        ):
            listed.sort()
        report.failed.sort(key=lambda failure: failure.path)
        report.gaps.sort(key=lambda gap: gap.path)
        report.windows = len(dense.ids)
        report.seconds = time.perf_counter() - began
        return report

    def _list_archives(self, pool: LoaderPool, held: dict[str, list[str]]) -> list[str]:
        """Return the paths of all members to read; of unchanged archives, those that are known.

        Args:
            held: the known members of each archive.
        """
        members: list[str] = []
        changed = []
        for path, known in held.items():
            if self._is_archive_as_known(path, known):
                members += known
                self._files += len(known) - 1
            else:
                changed.append(path)
        for result in pool.list_many(changed):
            if isinstance(result, Failure):
                self._fail_archive(result, held[result.path])
                continue
            path, listing = result
            if path in self._known:
                self._remove(path)  # it could not be listed before
            found = [os.path.join(path, member) for member in listing.members]
            for gone in set(held[path]).difference(found):
                self._remove(gone)
            self._report.gaps.extend(Gap(path, gap) for gap in listing.gaps)
            self._files += len(found) - 1
            members += found
        return members

    def _is_archive_as_known(self, path: str, members: list[str]) -> bool:
        """Return whether size and time say that an archive that could be read is the same."""
        state = _size_and_time(path)
        known = [self._known[member] for member in members]
        return (
            bool(known)
            and path not in self._known
            and not self._options.rehash
            and all(file.error is None and (file.size, file.mtime_ns) == state for file in known)
        )

    def _fail_archive(self, failure: Failure, members: list[str]) -> None:
        """Take note of an archive that could not be listed."""
        for member in members:
            if failure.passing:
                self._keep(member, failure.error)
            else:
                self._remove(member)
        self._fail(failure)

    def _load(self, pool: LoaderPool, changed: list[str]) -> None:
        """Read files, cut them into windows and put them into the index."""
        with closing(
            ahead(self._cut(pool.load_many(changed)), _weight, _WINDOWS_AHEAD, pool.close)
        ) as results:
            for result in results:
                if isinstance(result, Failure):
                    self._fail(result)
                else:
                    self._take(result)

    def _is_as_known(self, path: str) -> bool:
        """Return whether size and time say that a file that could be read is still the same."""
        known = self._known.get(path)
        if known is None or known.error is not None or self._options.rehash:
            return False
        size, mtime_ns = _size_and_time(path)
        if (known.size, known.mtime_ns) != (size, mtime_ns):
            return False
        if known.stale is not None:
            self._store.touch(path, size, mtime_ns)
        self._report.unchanged.append(path)
        self._file_done()
        return True

    def _fail_to_look(self, failure: Failure) -> None:
        """Take note of a named path, or something in a folder, that could not be looked at.

        Where it is gone, so is all that the index has of it. Else what lies there can't be seen,
        and stays.
        """
        below = [path for path in self._known if _is_under(path, failure.path)]
        if _is_gone(failure.path, failure.path in self._known):
            for path in below:
                self._remove(path)
            if below:
                said = f"{failure.error}; the index has forgotten it"
                failure = replace(failure, error=said)
        else:
            for path in below:
                self._keep(path, failure.error)
        self._report.failed.append(failure)

    def _fail(self, failure: Failure) -> None:
        """Take note of a file that could not be read."""
        known = self._known.get(failure.path)
        if known is not None and _is_gone(failure.path, was_file=True):
            self._remove(failure.path)
        elif failure.passing and known is not None and known.error is None:
            self._keep(failure.path, failure.error)
        elif known is None or known.error != failure.error:
            self._store.put_failure(failure.path, failure.error, *_size_and_time(failure.path))
        self._report.failed.append(failure)
        self._file_done()

    def _keep(self, path: str, reason: str) -> None:
        """Keep what the index has of a file that can't be read just now."""
        known = self._known[path]
        if known.error is not None:
            return
        if known.stale != reason:
            self._store.mark_stale(path, reason)
        self._report.stale.append(path)

    def _remove(self, path: str) -> None:
        self._store.remove(path)
        if self._known[path].error is None:
            self._report.removed.append(path)

    def _cut(self, results: Iterable[Document | Failure]) -> Iterator[_Cut | Failure]:
        """Documents cut into windows; runs in a thread of its own."""
        for result in results:
            if isinstance(result, Failure):
                yield result
            elif self._has_content(result):
                yield _Cut(result, None)
            else:
                tokens = tokenize(result.text, self._tokenizer)
                yield _Cut(result, list(split(tokens, self._store.settings.window)))

    def _has_content(self, document: Document) -> bool:
        """Return whether the index holds just this under the document's path."""
        known = self._known.get(document.path)
        return known is not None and known.sha256 == document.sha256

    def _take(self, cut: _Cut) -> None:
        document = cut.document
        self._report.gaps.extend(Gap(document.path, gap) for gap in document.gaps)
        if cut.windows is None:
            self._store.touch(document.path, document.size, document.mtime_ns)
            self._report.unchanged.append(document.path)
            self._file_done()
            return
        self._waiting.append((document, cut.windows))
        self._windows_waiting += len(cut.windows)
        if self._windows_waiting >= _WINDOWS_TOGETHER:
            self._flush()

    def _flush(self) -> None:
        """Embed and write the documents that wait."""
        texts = [text for waiting in self._waiting for text in _passages(*waiting)]
        vectors = self._embedder.passages(texts, self._embedded)
        first = 0
        with self._store.one_transaction():
            for document, windows in self._waiting:
                self._store.put(document, windows, vectors[first : first + len(windows)])
                first += len(windows)
        for document, _ in self._waiting:
            is_new = (known := self._known.get(document.path)) is None or known.error is not None
            (self._report.added if is_new else self._report.changed).append(document.path)
            self._file_done()
        self._waiting.clear()
        self._windows_waiting = 0

    def _embedded(self, windows: int) -> None:
        self._windows_done += windows
        self._tell()

    def _file_done(self) -> None:
        self._files_done += 1
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._files_done, self._files, self._windows_done)


def _passages(document: Document, windows: Sequence[Window]) -> Iterator[str]:
    """Yield what the embedder gets of each window: where it stands, then its text."""
    lines = heading_lines(document, [window.start for window in windows])
    for line, window in zip(lines, windows, strict=True):
        yield f"{line}\n{reading_text(document.text[window.start : window.end])}"


def _members_of(known: Iterable[str], archives: Iterable[str]) -> dict[str, list[str]]:
    """Return for each archive the known documents that are members of it."""
    held: dict[str, list[str]] = {archive: [] for archive in archives}
    for path in known if held else ():
        at = 0
        while (at := path.find(os.sep, at + 1)) > 0:
            if path[:at] in held:
                held[path[:at]].append(path)
                break
    return held


def _vanished(
    known: dict[str, FileState], discovery: Discovery, held: dict[str, list[str]], index: str
) -> list[str]:
    """Return known files under the named folders that are no longer there.

    Members of archives that are there (``held``) are seen only once the archive is listed.

    What lies under a folder that could not be read (a mount that is gone, a permission) has not
    vanished: it can't be seen. Nor can what lies in the index's own folder, unless a folder in
    there is named: the documents that a server was given.
    """
    unseen = {failure.path for failure in discovery.failures}
    if not any(_is_under(root, index) for root in discovery.roots):
        unseen.add(index)
    seen = set(discovery.files) | unseen | {path for paths in held.values() for path in paths}
    return [
        path
        for path in known
        if path not in seen
        and any(_is_under(path, root) for root in discovery.roots)
        and not any(_is_under(path, folder) for folder in unseen)
    ]


def _remove_leftovers(store: Store) -> None:
    """Remove what killed runs left half written, and caches from after a backup was put back.

    Those would be taken for the caches of generations that are still to come.
    """
    with file_errors(store.folder):
        for part in store.folder.glob("*.part"):
            part.unlink(missing_ok=True)
        for cache in (*store.folder.glob("vectors-*-*"), *store.folder.glob("words-*-*")):
            generation = cache.stem.rpartition("-")[2]
            if generation.isdecimal() and int(generation) > store.generation:
                cache.unlink(missing_ok=True)


def _is_gone(path: str, was_file: bool) -> bool:
    """Return whether what stood at a path is no longer there, as far as the system can tell."""
    path = file_of(path)
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    try:
        return was_file and not stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _size_and_time(path: str) -> tuple[int, int]:
    try:
        status = Path(file_of(path)).stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
