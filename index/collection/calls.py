"""Calls to shards at the same time, each of which may fail, or come too late.

A thread that waits for a disk or a network can't be stopped. So the threads here are daemons, a
call that is late is left behind, and its shard gets no further one before that has come to its end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from docqa.index.errors import IndexUnreadableError, StorageError

_Result = TypeVar("_Result")
_Job = tuple[Future[Any], Callable[[], Any]]
# At most; some of them wait for disks.
_THREADS = 32


class ShardCalls:
    """Calls shards, several at a time.

    Args:
        seconds: how long each call may take, together with those that it waits for.
        threads: the most calls at a time.
    """

    def __init__(self, seconds: float, threads: int = _THREADS) -> None:
        self._seconds = seconds
        self._most = threads
        self._lock = threading.Lock()  # over the next two
        self._threads = _Threads()
        self._late: dict[int, list[Future[Any]]] = {}  # calls that nobody waits for any more

    def each(
        self, calls: Mapping[int, Callable[[], _Result]]
    ) -> tuple[dict[int, _Result], dict[int, Exception]]:
        """Return what calls return, and why others gave nothing.

        Args:
            calls: by the number of the shard.

        Returns:
            The results of the shards that answered in time; of the others, the
            :class:`StorageError` or ``OSError`` that was raised, or that it took too long. What
            else is raised goes on to the caller.
        """
        began = time.monotonic()
        failures: dict[int, Exception] = {}
        futures: dict[int, Future[_Result]] = {}
        for shard, call in calls.items():
            if self._is_late(shard):
                failures[shard] = IndexUnreadableError("it has not answered an earlier call yet")
            else:
                futures[shard] = self._start(call)
        results = {}
        try:
            for shard, future in futures.items():
                left = self._seconds - (time.monotonic() - began)
                try:
                    results[shard] = future.result(max(left, 0.0))
                except (StorageError, OSError) as error:
                    failures[shard] = error if future.done() else self._too_late()
        finally:
            # Also where an error goes on to the caller while other shards are still at work.
            self._leave_behind(futures)
        return results, failures

    def after(self, shard: int, call: Callable[[], object]) -> None:
        """Call at once; where a call to the shard is late, when that has come to its end."""
        with self._lock:
            late = list(self._late.get(shard, ()))
        _after_all(late, call)

    def close(self) -> None:
        """Let the threads end; new ones are started when they are needed."""
        with self._lock:
            threads, self._threads = self._threads, _Threads()
        for _ in range(threads.started):
            threads.jobs.put(None)

    def _is_late(self, shard: int) -> bool:
        with self._lock:
            late = [future for future in self._late.pop(shard, ()) if not future.done()]
            if late:
                self._late[shard] = late
            return bool(late)

    def _too_late(self) -> Exception:
        return IndexUnreadableError(f"it did not answer within {self._seconds:g} seconds")

    def _leave_behind(self, futures: Mapping[int, Future[Any]]) -> None:
        with self._lock:
            for shard, future in futures.items():
                if not future.done():
                    self._late.setdefault(shard, []).append(future)

    def _start(self, call: Callable[[], _Result]) -> Future[_Result]:
        future: Future[_Result] = Future()
        with self._lock:
            threads = self._threads
            threads.jobs.put((future, call))
            if not threads.idle.acquire(blocking=False) and threads.started < self._most:
                threads.started += 1
                threading.Thread(target=threads.work, name="docqa-shard", daemon=True).start()
        return future


def _after_all(futures: Sequence[Future[Any]], call: Callable[[], object]) -> None:
    """Call when all futures have come to their end, at once where they have."""
    if not futures:
        call()
        return
    futures[0].add_done_callback(lambda _: _after_all(futures[1:], call))


class _Threads:
    """Threads that take jobs from one queue."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.idle = threading.Semaphore(0)  # threads that have nothing to do
        self.started = 0

    def work(self) -> None:
        """Do jobs until there is a None."""
        while (job := self.jobs.get()) is not None:
            future, call = job
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del future, call, job
            self.idle.release()
