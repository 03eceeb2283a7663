"""Many files to documents, in processes that a hostile file may kill.

Neither forked, as the parent may hold torch's threads, nor started through multiprocessing, which
would run the parent's main module once more.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from threading import Lock
from typing import TypeAlias, TypeVar

from docqa.ingest.archives import Listing
from docqa.ingest.document import Document, Failure, LoadLimits
from docqa.ingest.errors import IngestError, PictureError, os_reason
from docqa.ingest.formats import recognition
from docqa.ingest.workers.process import WorkerProcess

_MOST_WORKERS = 4

Result = TypeVar("Result")
_Asks: TypeAlias = "Callable[[_Run, WorkerProcess, str], Result]"


class LoaderPool:
    """Reads files in worker processes, each within limits.

    Args:
        limits: what one file may cost.
        workers: how many processes at most; by default one a core, and no more than 4.

    Raises:
        ValueError: fewer than one worker.
    """

    def __init__(self, limits: LoadLimits | None = None, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"there must be at least one worker, not {workers}")
        self._limits = limits or LoadLimits()
        self._workers = workers or min(_MOST_WORKERS, os.cpu_count() or 1)
        self._runs: set[_Run] = set()

    def __enter__(self) -> LoaderPool:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill whatever still runs."""
        for run in list(self._runs):
            run.stop()

    def load_many(self, paths: Iterable[str]) -> Iterator[Document | Failure]:
        """Read files, several at once.

        Only a few are read ahead of what has been taken from the iterator. When it ends, is closed
        or is abandoned, its workers are gone.

        Args:
            paths: absolute.

        Yields:
            A document or a failure for each path, in the order in which they are done.

        Raises:
            RuntimeError: the pool was closed meanwhile.
        """
        yield from self._each(paths, _Run.load)

    def list_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Listing] | Failure]:
        """List the members of archives, several at once, as :meth:`load_many` reads files.

        Yields:
            An archive's path and its listing, or a failure, in the order in which they are done.
        """
        yield from self._each(paths, _Run.list_members)

    def _each(self, paths: Iterable[str], ask: _Asks[Result]) -> Iterator[Result | Failure]:
        run = _Run(self._limits, self._workers)
        self._runs.add(run)
        try:
            yield from run.each(paths, ask)
        finally:
            run.stop()
            self._runs.discard(run)

    def load_one(self, path: str) -> Document:
        """Read one file.

        Args:
            path: absolute.

        Raises:
            IngestError: it could not be read.
        """
        (result,) = self.load_many([path])
        if isinstance(result, Failure):
            raise IngestError(result.error, result.passing)
        return result


class _Run:
    """One question to workers about many paths: its threads, each with a worker, and their end."""

    def __init__(self, limits: LoadLimits, workers: int) -> None:
        self._limits = limits
        self._ahead = workers + 1
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="docqa-loader")
        self._lock = Lock()  # over the three below
        self._workers: set[WorkerProcess] = set()
        self._idle: deque[WorkerProcess] = deque()
        self._stopped = False
        self._recognising = Lock()  # over the next: it takes much memory, so there is one
        self._recogniser: WorkerProcess | None = None

    def each(self, paths: Iterable[str], ask: _Asks[Result]) -> Iterator[Result | Failure]:
        to_do = iter(paths)
        doing = {self._threads.submit(self._ask, ask, path) for path in islice(to_do, self._ahead)}
        while doing:
            done, doing = wait(doing, return_when=FIRST_COMPLETED)
            while done:
                future: Future[Result | Failure] = done.pop()
                if self._stopped:
                    raise RuntimeError("the pool was closed while its files were being read")
                for path in islice(to_do, 1):
                    doing.add(self._threads.submit(self._ask, ask, path))
                yield future.result()
                del future  # and with it the document, before waiting for the next

    def stop(self) -> None:
        """Kill the workers and wait for the threads, which then have nothing to wait for."""
        with self._lock:
            self._stopped = True
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            left, self._workers = self._workers, set()
        for worker in left:
            worker.close()

    def _ask(self, ask: _Asks[Result], path: str) -> Result | Failure:
        try:
            worker = self._take_worker()
        except OSError as error:
            reason = f"no process could be started to read it: {os_reason(error)}"
            return Failure(path, reason, passing=True)
        try:
            return ask(self, worker, path)
        except IngestError as error:
            return Failure(path, str(error), error.passing)
        finally:
            self._give_back(worker)

    def list_members(self, worker: WorkerProcess, path: str) -> tuple[str, Listing]:
        """Return an archive's path and its listing."""
        return path, worker.list_members(path)

    def load(self, worker: WorkerProcess, path: str) -> Document:
        """Return a document, with the text in its pictures if text recognition is installed."""
        try:
            document = worker.load(path)
        except PictureError as error:
            if not recognition.is_installed():
                raise
            return self._recognise(path, error.pages)
        if not document.pictures or not recognition.is_installed():
            return document
        try:
            return self._recognise(path, document.pictures)
        except IngestError as error:
            return replace(document, gaps=(*document.gaps, f"text recognition failed: {error}"))

    def _recognise(self, path: str, pages: int) -> Document:
        limits = replace(
            self._limits,
            recognise=True,
            memory_mb=self._limits.memory_mb + recognition.MEMORY_MB,
        )
        with self._recognising:
            if self._recogniser is None or not self._recogniser.usable:
                self._recogniser = self._new_worker(limits)
            return self._recogniser.load(path, limits.seconds * (1 + pages))

    def _take_worker(self) -> WorkerProcess:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._new_worker(self._limits)

    def _new_worker(self, limits: LoadLimits) -> WorkerProcess:
        with self._lock:
            worker = WorkerProcess(limits)
            self._workers.add(worker)
            if self._stopped:
                worker.kill()
            return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        if worker.usable:
            with self._lock:
                self._idle.append(worker)
            return
        with self._lock:
            self._workers.discard(worker)
        worker.close()
