"""A worker process as its parent sees it: started, asked, timed, and killed when need be."""

from __future__ import annotations

import os
import selectors
import signal
import site
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from docqa.ingest.archives import Listing
from docqa.ingest.document import Document, LoadLimits
from docqa.ingest.errors import IngestError
from docqa.ingest.workers.protocol import (
    Header,
    pack_limits,
    pack_request,
    unpack_document,
    unpack_header,
    unpack_listing,
)

# A worker loads this very package from where it lies and never looks in the current folder (or,
# for an editable checkout, in the folder that holds the package): a document's neighbour called
# re.py must not run. Of docqa it gets the name alone, since it needs ``docqa.ingest`` and no more.
_BOOTSTRAP = """
import sys, types
package = types.ModuleType("docqa")
package.__path__ = [sys.argv.pop(1)]
sys.modules["docqa"] = package
from docqa.ingest.workers.worker import main
main()
"""
T = TypeVar("T")

_DOCQA = Path(__file__).absolute().parents[2]
_CHUNK_BYTES = 1024 * 1024
_MOST_HEADER_BYTES = 64 * 1024 * 1024
# Signals that a process sends itself by what it does; others come from outside.
_CRASHES = frozenset(
    (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS)
)
# Where an interpreter that doesn't lie in its usual place finds its libraries.
_KEPT = ("PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_NONSENSE = "the reader process sent a reply that makes no sense"


class _EndedError(Exception):
    """The worker closed its pipe."""


class WorkerProcess:
    """One worker. Only :meth:`kill` may be called from another thread than the one that asks.

    Args:
        limits: for each file.

    Raises:
        OSError: no process could be started.
    """

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits
        # In a session of its own, so that Ctrl-C reaches only the parent, which then kills it.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOTSTRAP, str(_DOCQA), pack_limits(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._replies = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._replies, selectors.EVENT_READ)
        self._buffer = bytearray()
        self._in_step = True

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Return whether another file can be asked for."""
        return self._in_step and self._process.poll() is None

    def load(self, path: str, seconds: float | None = None) -> Document:
        """Have a file read.

        Args:
            path: of the file.
            seconds: what it may take, where that is not what the limits say.

        Raises:
            IngestError: it could not be; :attr:`usable` then says if the worker survived.
        """
        return self.ask(
            pack_request("load", path), lambda *reply: unpack_document(path, *reply), seconds
        )

    def list_members(self, path: str) -> Listing:
        """Have an archive's members listed.

        Raises:
            IngestError: as for :meth:`load`.
        """
        return self.ask(pack_request("list", path), lambda header, _: unpack_listing(header))

    def ask(
        self,
        request: bytes,
        unpack: Callable[[Header, bytearray], T],
        seconds: float | None = None,
    ) -> T:
        """Have a request answered.

        Args:
            request: as :func:`pack_request` makes it.
            unpack: makes the result of the reply's header and body, raises a ValueError where they
                make no sense, and an :class:`IngestError` where the reply gives a reason.
            seconds: what it may take, where that is not what the limits say.

        Raises:
            IngestError: there is no result; :attr:`usable` then says if the worker survived.
        """
        seconds = self._limits.seconds if seconds is None else seconds
        deadline = time.monotonic() + seconds
        self._in_step = False
        try:
            self._requests.write(request)
            header, body = self._receive(deadline)
            self._in_step = not header.last
            return unpack(header, body)
        except TimeoutError:
            self.kill()
            raise IngestError(
                f"took longer than {seconds:g} s, stopped; raise with --timeout",
                passing=True,
            ) from None
        except (_EndedError, BrokenPipeError):
            raise self._how_it_ended() from None
        except ValueError as error:
            self._in_step = False
            self.kill()
            raise IngestError(_NONSENSE) from error

    def kill(self) -> None:
        """End the process now, whatever it is doing."""
        self._process.kill()

    def close(self) -> None:
        """End the process and give back all that it held, its entry in the process table too."""
        self.kill()
        self._selector.close()
        self._requests.close()
        self._replies.close()
        self._process.wait()

    def _receive(self, deadline: float) -> tuple[Header, bytearray]:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _MOST_HEADER_BYTES:
                raise ValueError("an endless header")
            self._receive_some(deadline)
        header = unpack_header(bytes(self._buffer[:end]))
        del self._buffer[: end + 1]
        if header.bytes > 4 * self._limits.max_chars:  # UTF-8's longest character
            raise ValueError("more text than may be sent")
        while len(self._buffer) < header.bytes:
            self._receive_some(deadline)
        if len(self._buffer) > header.bytes:
            raise ValueError("more than was asked for")
        body, self._buffer = self._buffer, bytearray()
        return header, body

    def _receive_some(self, deadline: float) -> None:
        if not self._selector.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        chunk = os.read(self._replies.fileno(), _CHUNK_BYTES)
        if not chunk:
            raise _EndedError
        self._buffer += chunk

    def _how_it_ended(self) -> IngestError:
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it only closed its pipe
            self.kill()
            status = self._process.wait()
        if -status in _CRASHES:
            return IngestError(
                f"made the reader process crash (signal {-status}): damaged, or made to do harm"
            )
        if status < 0:
            return IngestError(
                f"the reader process was killed (signal {-status}); if memory is short, index it "
                "again with fewer --workers",
                passing=True,
            )
        return IngestError(
            f"the reader process ended early (exit status {status}); index it again", passing=True
        )


def _environment() -> dict[str, str]:
    """Return a worker's environment: what Python needs to find itself and its libraries.

    A document that takes a worker over finds no password and no token in it.
    """
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # A relative entry would mean the current folder.
    searched = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if absolute := os.pathsep.join(filter(os.path.isabs, searched)):
        environment["PYTHONPATH"] = absolute
    if site.ENABLE_USER_SITE:  # is found through HOME otherwise
        environment["PYTHONUSERBASE"] = site.getuserbase()
    return environment | {
        "HOME": "/",
        "LC_ALL": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # NumPy's threads take address space, and openpyxl imports it
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
