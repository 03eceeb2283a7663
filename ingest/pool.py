"""Many files to documents, in worker processes that a bad file can't hurt.

Each file has a time and a memory limit of its own; one that breaks them costs its worker, which is
replaced. A thread for each worker hands it files and waits for the replies, so at most one
document a worker is in flight, however many files there are.

``multiprocessing`` is not used: it would run the caller's ``__main__`` again in each worker, or
fork a process that holds torch's threads, and its pools can't end a single worker that hangs.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ingest.document import Document, Failure, LoadLimits
from ingest.errors import IngestError
from ingest.worker import LENGTH, out_of_memory

_MOST_WORKERS = 4
_OUT_OF_FILES = None


class LoaderPool:
    """Loads files in worker processes; a context manager.

    Args:
        limits: what one file may cost.
        workers: how many processes; as many as there are cores, at most 4, if not given.
    """

    def __init__(self, limits: LoadLimits | None = None, workers: int | None = None) -> None:
        self._limits = limits or LoadLimits()
        self._count = workers or min(_MOST_WORKERS, os.cpu_count() or 1)
        self._workers: list[_Worker] = []

    def __enter__(self) -> LoaderPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def load_one(self, path: str) -> Document:
        """Load a single file.

        Raises:
            IngestError: it can't be read.
        """
        [loaded] = self.load_many([path])
        if isinstance(loaded, Failure):
            raise IngestError(f"{path}: {loaded.error}")
        return loaded

    def load_many(self, paths: Iterable[str]) -> Iterator[Document | Failure]:
        """Load files, yielding each as it is done; their order is not kept.

        Leaving the iterator before its end ends the workers.
        """
        files: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        count = 0
        for path in paths:
            files.put(path)
            count += 1
        # A document waits here until it is taken, and its worker's thread with it.
        done: queue.Queue[Document | Failure] = queue.Queue(maxsize=1)
        stopped = threading.Event()
        while len(self._workers) < min(self._count, count):
            self._workers.append(_Worker(self._limits))
        threads = []
        for worker in self._workers:
            files.put(_OUT_OF_FILES)
            thread = threading.Thread(
                target=_serve, args=(worker, files, done, stopped), daemon=True
            )
            thread.start()
            threads.append(thread)
        try:
            for _ in range(count):
                yield done.get()
        except BaseException:
            stopped.set()
            self.close()
            raise
        finally:
            for thread in threads:
                thread.join()


def _serve(
    worker: _Worker,
    files: queue.SimpleQueue[str | None],
    done: queue.Queue[Document | Failure],
    stopped: threading.Event,
) -> None:
    while not stopped.is_set() and (path := files.get()) is not _OUT_OF_FILES:
        loaded = worker.load(path)
        while not stopped.is_set():
            try:
                done.put(loaded, timeout=0.2)
                break
            except queue.Full:
                continue


class _Worker:
    """One worker process, started when first needed and again after each loss."""

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def load(self, path: str) -> Document | Failure:
        """Load a file, for as long as the limit allows."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._end()

        timer = threading.Timer(self._limits.seconds, stop)
        timer.daemon = True
        try:
            process = self._started()
            timer.start()
            assert process.stdin is not None
            assert process.stdout is not None
            _send(process.stdin, path)
            header, text = _receive(process.stdout, 4 * self._limits.max_chars)
        except (OSError, EOFError, ValueError):
            code = self._end()
            return Failure(path, self._why(code, late.is_set()))
        finally:
            timer.cancel()
        if "error" in header:
            if header["error"] == out_of_memory(self._limits):
                self._end()  # what is left of its address space may be in pieces
            return Failure(path, header["error"])
        header["page_starts"] = tuple(header["page_starts"])
        return Document(text=text.decode("utf-8"), **header)

    def kill(self) -> None:
        """End the process for good."""
        self._closed = True
        self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise OSError("the pool is closed")
            if self._process is None:
                # -P and an absolute path: nothing in the current folder is ever imported.
                root = str(Path(__file__).resolve().parent.parent)
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "ingest.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": root},
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is the parent's to handle
                )
                assert self._process.stdin is not None
                _send(
                    self._process.stdin,
                    {
                        "seconds": self._limits.seconds,
                        "memory_mb": self._limits.memory_mb,
                        "max_file_mb": self._limits.max_file_mb,
                        "max_chars": self._limits.max_chars,
                    },
                )
            return self._process

    def _end(self) -> int | None:
        """Kill the process; returns how it had ended, or None if it was running."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return None
        code = process.poll()
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # a reply was half written when it died
        process.wait()
        return code

    def _why(self, code: int | None, late: bool) -> str:
        if late:
            return (
                f"took longer than {self._limits.seconds:g} s and was stopped; "
                "raise the limit with --timeout"
            )
        return f"the process that read it died ({_died(code)})"


def _died(code: int | None) -> str:
    if code is None:
        return "killed"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _send(stream: IO[bytes], message: Any) -> None:
    body = json.dumps(message).encode()
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def _receive(stream: IO[bytes], most: int) -> tuple[dict[str, Any], bytes]:
    [length] = LENGTH.unpack(_exactly(stream, LENGTH.size, most))
    header = json.loads(_exactly(stream, length, most))
    return header, _exactly(stream, header.pop("text_bytes"), most)


def _exactly(stream: IO[bytes], count: int, most: int) -> bytes:
    data = stream.read(count) if count <= most else b""
    if len(data) != count:
        raise EOFError("the worker died")
    return data
