"""Documents that clients bring and take away: one writer, one task after the other.

Uploads lie in ``uploads/`` in the index's own folder, under names of the server's making. A file
comes to lie there whole or not at all. After a stop in the middle, the next start brings the index
in line with the folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import shutil
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from docqa.errors import DocQAError, IndexLockedError
from docqa.ingest.formats import is_supported
from docqa.server.documents import Catalog, Names, path_of, uploads_of
from docqa.server.replies import RefusedError
from docqa.server.settings import ServerSettings
from docqa.server.work import Threads

if TYPE_CHECKING:
    from docqa.qa import DocQA

_log = logging.getLogger("docqa")

_Result = TypeVar("_Result")

_TASKS_KEPT = 100
_LONGEST_NAME = 120  # characters; at most 4 bytes each, and a number may be put behind
_LOCKED_WAIT = 2.0
_EVENT_SECONDS = 15.0  # between two events at the most, so that no proxy gives up
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clean_name(name: str) -> str:
    """Return the name under which an uploaded file is kept.

    It has no folder, no control characters, nothing that a shell, a file system or a page takes
    for something else, and a suffix of a kind of file that docqa reads.

    Raises:
        RefusedError: nothing is left of the name, or docqa reads no files of this kind.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(
        char if char.isalnum() or char in " .-_()," or unicodedata.category(char) == "Mn" else "_"
        for char in name
    )
    stem, dot, suffix = " ".join(name.split()).strip(" .").rpartition(".")
    stem = stem.strip(" .")
    if not dot or not stem.strip("_"):
        raise RefusedError(422, "a file needs a name and a suffix, such as report.pdf")
    cleaned = f"{stem[: _LONGEST_NAME - len(suffix) - 1].strip(' .')}.{suffix}"
    if _RESERVED.fullmatch(cleaned):
        cleaned = "_" + cleaned
    if len(suffix) > 16 or not is_supported(cleaned):
        raise RefusedError(422, "docqa does not read files of this kind")
    return cleaned


@dataclass(eq=False)
class Task:
    """Work that goes on in the background, and how far it has come.

    Attributes:
        stage: ``waiting``, ``indexing``, ``done``, ``failed`` or ``stopped``.
        done, total: files.
        failures: files that could not be read, each with its reason.
    """

    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stage: str = "waiting"
    done: int = 0
    total: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.stage in ("done", "failed", "stopped")

    def to_dict(self) -> dict[str, object]:
        """Return what clients see."""
        return {
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "failures": self.failures,
        }


class _StoppedError(Exception):
    """The server is stopping: what was written is kept, the rest is done at the next start."""


class Uploads:
    """The folder of uploads, and the one writer of the index.

    Args:
        settings: of the server.
        qa: the index.
        catalog: how its paths are shown.
    """

    def __init__(self, settings: ServerSettings, qa: DocQA, catalog: Catalog) -> None:
        self._settings = settings
        self._qa = qa
        self._catalog = catalog
        self._folder = uploads_of(settings.index)
        self._arriving = self._folder.with_name("arriving")
        self._writer = Threads("docqa-writer", 1, settings.limits.tasks)
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    def start(self) -> None:
        """Make the folders, and bring the index in line with what lies in them.

        Raises:
            OSError: they can't be made.
        """
        shutil.rmtree(self._arriving, ignore_errors=True)  # uploads that never came to their end
        for folder in (self._folder, self._arriving):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._begin([self._folder])

    def task(self, task_id: str) -> Task | None:
        """Return a task; None where there is none, or it has long been over."""
        return self._tasks.get(task_id)

    # -- what comes ----------------------------------------------------------------------------

    def new_file(self) -> Path:
        """Return where a file that arrives is written until it is whole."""
        return self._arriving / secrets.token_hex(16)

    def check_room(self) -> None:
        """Refuse uploads where the folder is full.

        Raises:
            RefusedError: it is.
        """
        with os.scandir(self._folder) as files:
            sizes = [file.stat(follow_symlinks=False).st_size for file in files]
        limits = self._settings.limits
        if len(sizes) >= limits.uploaded_files or sum(sizes) >= limits.uploaded:
            raise RefusedError(507, "there is no room for more uploads")

    def take(self, arrived: Sequence[tuple[Path, str]]) -> Task:
        """Keep files that have arrived, and begin to index them.

        Args:
            arrived: each file with its cleaned name. A file of the same name that was uploaded
                before is replaced.

        Raises:
            RefusedError: too many tasks wait.
        """
        waiting = sum(not task.is_over for task in self._tasks.values())
        if waiting >= self._settings.limits.tasks:
            raise RefusedError(503, "too many uploads wait to be indexed; try again later", 10)
        kept = []
        for file, name in arrived:
            file.replace(self._folder / name)
            kept.append(self._folder / name)
        return self._begin(kept)

    def _begin(self, paths: Sequence[Path]) -> Task:
        task = Task()
        self._tasks[task.id] = task
        while len(self._tasks) > _TASKS_KEPT:
            self._tasks.popitem(last=False)
        running = asyncio.create_task(self._run(task, paths))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return task

    async def _run(self, task: Task, paths: Sequence[Path]) -> None:
        loop = asyncio.get_running_loop()

        def on_progress(files_done: int, files: int, windows_done: int) -> None:
            if self._stopping:
                raise _StoppedError
            loop.call_soon_threadsafe(_show, task, "indexing", files_done, files)

        try:
            report = await self._alone(lambda: self._qa.index(paths, progress=on_progress))
            task.failures = [
                {"document": Path(failure.path).name, "error": failure.error}
                for failure in report.failed
            ]
            _show(task, "done", task.total, task.total)
        except _StoppedError:
            _show(task, "stopped", task.done, task.total)
        except Exception as error:
            _log.error("uploads could not be indexed: %s", error, exc_info=_unexpected(error))
            _show(task, "failed", task.done, task.total)

    async def _alone(self, change: Callable[[], _Result]) -> _Result:
        """Make a change in the writer's thread, when no other process writes to the index."""
        while True:
            try:
                return await self._writer.run(change)
            except IndexLockedError:
                if self._stopping:
                    raise _StoppedError from None
                await asyncio.sleep(_LOCKED_WAIT)

    # -- what goes -----------------------------------------------------------------------------

    async def remove(self, document_id: int) -> tuple[str, Names]:
        """Take a document out of the index; an upload's file is deleted, other files stay.

        Returns:
            Its path, and how paths were shown when it was there.

        Raises:
            RefusedError: there is no such document.
        """

        def change() -> tuple[str, Names]:
            with self._qa.snapshot() as store:
                path, names = path_of(store, document_id), self._catalog.names(store)
            if Path(path).parent == self._folder:
                # First the file: a stop after that leaves a document whose file has vanished,
                # and the next start forgets it.
                Path(path).unlink(missing_ok=True)
            with suppress(ValueError):  # it was forgotten meanwhile
                self._qa.forget([path])
            return path, names

        return await self._alone(change)

    # -- who watches ---------------------------------------------------------------------------

    async def events(self, task: Task) -> AsyncIterator[dict[str, object]]:
        """Yield how far a task has come, at each change and now and then, until it is over."""
        while True:
            changed = task.changed
            yield task.to_dict()
            if task.is_over:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVENT_SECONDS):
                    await changed.wait()

    async def stop(self) -> None:
        """Stop the writer at its next step."""
        self._stopping = True
        for running in self._running:
            running.cancel()
        await asyncio.to_thread(self._writer.close)


def _show(task: Task, stage: str, done: int, total: int) -> None:
    task.stage, task.done, task.total = stage, done, total
    changed, task.changed = task.changed, asyncio.Event()
    changed.set()


def _unexpected(error: Exception) -> Exception | None:
    return None if isinstance(error, DocQAError) else error
