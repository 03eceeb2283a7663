"""A process that reads files and may die of them. Started by :mod:`docqa.ingest.workers.process`.

It takes requests on standard input and answers on standard output, as :mod:`workers.protocol` says,
within the memory that its limits allow, and ends with its parent.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from docqa.ingest.archives import list_members
from docqa.ingest.box import Box
from docqa.ingest.document import LoadLimits
from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import recognition
from docqa.ingest.load import load, one_line, pages_of, reasons
from docqa.ingest.workers.protocol import (
    pack_boxes,
    pack_document,
    pack_error,
    pack_file,
    pack_listing,
    pack_size,
    unpack_limits,
    unpack_request,
)

_MB = 1024 * 1024
# Added to the process's niceness: where cores are few, the embedder, which keeps all of them in
# step, should not wait for one of them. It is fed well ahead.
_YIELDS = 5


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    os.nice(_YIELDS)
    limits = unpack_limits(sys.argv[1])
    requests, replies = _take_over_pipes()
    _limit_memory(limits.memory_mb)
    if limits.recognise:
        recognition.allow()
    with os.fdopen(requests, "rb") as lines, os.fdopen(replies, "wb") as out:
        for line in lines:
            with _killed_when_closed(requests):
                header, body, last = _serve(line, limits)
            out.write(header)
            out.write(body)
            out.flush()
            del body
            if last:
                return


def _serve(line: bytes, limits: LoadLimits) -> tuple[bytes, bytes, bool]:
    """Return a reply's header and body, and whether it is this process's last.

    Memory is seldom given back whole, and another file shouldn't pay for this one: after a costly
    file, the parent starts a fresh worker.
    """
    task, path, arguments = unpack_request(line)
    try:
        pack = _TASKS[task](path, limits, *arguments)
        last = _address_space() > limits.memory_mb * _MB / 2
        return *pack(last), last
    except IngestError as error:
        ran_out = isinstance(error.__cause__, MemoryError)
        pictures = error.pages if isinstance(error, PictureError) else 0
        last = ran_out or _address_space() > limits.memory_mb * _MB / 2
        return *pack_error(one_line(str(error)), last, error.passing, pictures), last
    except MemoryError:
        message = f"needed more than {limits.memory_mb} MB of memory; raise with --memory-mb"
        return *pack_error(message, last=True), True


# Whether the reply is the worker's last, to the reply.
_Pack = Callable[[bool], tuple[bytes, bytes]]


def _load(path: str, limits: LoadLimits) -> _Pack:
    return partial(pack_document, load(path, limits))


def _list(path: str, limits: LoadLimits) -> _Pack:
    with reasons(limits):
        listing = list_members(path, limits)
    return partial(pack_listing, replace(listing, gaps=tuple(map(one_line, listing.gaps))))


def _boxes(path: str, limits: LoadLimits, stretches: list[list[Any]]) -> _Pack:
    from docqa.ingest.formats.pdf.places import Stretch, boxes_of

    asked = [Stretch(*stretch) for stretch in stretches]
    return partial(pack_boxes, pages_of(path, limits, lambda data: boxes_of(data, asked)))


def _page_size(path: str, limits: LoadLimits, page: int) -> _Pack:
    from docqa.ingest.formats.pdf.places import page_size

    return partial(pack_size, *pages_of(path, limits, lambda data: page_size(data, page)))


def _picture(path: str, limits: LoadLimits, page: int, width: int) -> _Pack:
    from docqa.ingest.formats.pdf.places import picture

    return partial(pack_file, pages_of(path, limits, lambda data: picture(data, page, width)))


def _highlighted(path: str, limits: LoadLimits, boxes: list[list[Any]], note: str) -> _Pack:
    from docqa.ingest.formats.pdf.highlight import highlighted

    marks = [Box(*box) for box in boxes]
    data = pages_of(path, limits, lambda data: highlighted(data, marks, note))
    if len(data) > 4 * limits.max_chars:  # the most that a reply may hold
        raise IngestError("it is too large to be marked")
    return partial(pack_file, data)


_TASKS: dict[str, Callable[..., _Pack]] = {
    "load": _load,
    "list": _list,
    "boxes": _boxes,
    "page size": _page_size,
    "picture": _picture,
    "highlighted": _highlighted,
}


def _take_over_pipes() -> tuple[int, int]:
    """Return descriptors for requests and replies that no library knows of.

    What a library prints, or a program that it starts, goes to /dev/null instead.
    """
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)
    return requests, replies


def _limit_memory(megabytes: int) -> None:
    for which, most in ((resource.RLIMIT_AS, megabytes * _MB), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        with suppress(ValueError, OSError):  # macOS has the limit and refuses to set it.
            resource.setrlimit(which, (most, hard))


@contextmanager
def _killed_when_closed(pipe: int) -> Iterator[None]:
    """Have the kernel end this process as soon as the pipe's other end is closed.

    The end of the requests shows only when they are read again, and a file that keeps a parser
    busy for ever would keep an orphan busy for ever. A pipe with O_ASYNC sends SIGIO when it is
    closed (or written to, which the parent does only between files), and SIGIO's default is to
    kill, even inside a library's C code.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)
    poll = select.poll()
    poll.register(pipe, 0)
    if poll.poll(0):  # closed before the kernel was asked to say so
        os._exit(0)
    try:
        yield
    finally:
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


def _address_space() -> int:
    """Return the bytes of address space in use, as RLIMIT_AS counts; 0 where nothing says it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()
