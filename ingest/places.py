"""Where a stretch of a document's text stands on the pages of its file, and the pages' pictures.

Pages are read and drawn in a worker process, as untrusted as when the file was indexed. The worker
lives between calls, and ends with this process; several threads take turns.
"""

from __future__ import annotations

import atexit
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TypeVar

from docqa.ingest.box import Box as Box
from docqa.ingest.document import Document, LoadLimits, Source
from docqa.ingest.errors import IngestError, os_reason
from docqa.ingest.formats import format_of
from docqa.ingest.workers.process import WorkerProcess
from docqa.ingest.workers.protocol import (
    Header,
    pack_request,
    unpack_boxes,
    unpack_pdf,
    unpack_picture,
    unpack_size,
)

T = TypeVar("T")

_CHANGED = "changed since it was indexed; index it again"
# People wait for a page: longer than this is no page to be shown.
_LIMITS = LoadLimits(seconds=30.0)
# Documents whose text is kept where the caller has none, and the characters in all of them.
_MOST_KEPT = 8
_MOST_CHARS_KEPT = 10_000_000
_PAGED = "pdf"


def boxes(
    path: str,
    start: int,
    end: int,
    *,
    expected: str | None = None,
    source: Source | None = None,
) -> list[Box]:
    """Return the boxes of a stretch of a document's text, one for each line of a page.

    Args:
        path: of the file, absolute.
        start, end: ``[start, end)`` in the document's text, in code points.
        expected: the text of the stretch as the caller knows it.
        source: the document as an index has it: then only the pages of the stretch are read.
            Without it the whole file is read first.

    Returns:
        Boxes in the order of the text. Empty for formats without pages, for pages that only pypdf
        can read, and for a stretch of blanks.

    Raises:
        IngestError: the file can't be read, or its text is another one than the caller's.
        ValueError: no such stretch.
    """
    if not 0 <= start <= end:
        raise ValueError(f"no stretch of a text: {start} to {end}")
    if format_of(path).name != _PAGED:
        return []
    document = source or _SHARED.document(path)
    if end > document.length or expected not in (None, document.slice(start, end)):
        raise IngestError(_CHANGED)
    request = pack_request("boxes", path, _stretches(document, start, end))
    return _SHARED.ask(request, lambda header, _: unpack_boxes(header))


def page_size(path: str, page: int) -> tuple[float, float]:
    """Return a page's width and height as it is shown, in points.

    Args:
        path: of the file, absolute.
        page: its number, from 1.

    Raises:
        IngestError: the file has no pages, or the page can't be shown.
    """
    _check_paged(path)
    request = pack_request("page size", path, page)
    return _SHARED.ask(request, lambda header, _: unpack_size(header))


def render_page(path: str, page: int, width_px: int) -> bytes:
    """Return a PNG of a page, with its notes and the values of its form fields.

    Args:
        path: of the file, absolute.
        page: its number, from 1.
        width_px: of the picture. It is smaller where it would have more than 5 million pixels.

    Raises:
        IngestError: the file has no pages, or the page can't be shown.
        ValueError: a width below 1.
    """
    if width_px < 1:
        raise ValueError(f"a picture is at least 1 pixel wide, not {width_px}")
    _check_paged(path)
    return _SHARED.ask(pack_request("picture", path, page, width_px), unpack_picture)


def highlighted(path: str, boxes: Sequence[Box], note: str) -> bytes:
    """Return a copy of a PDF with boxes marked, for any viewer to show.

    Args:
        path: of the file, absolute.
        boxes: from :func:`boxes`.
        note: what the marks say when they are pointed at.

    Raises:
        IngestError: the file has no pages, or can't be marked.
    """
    _check_paged(path)
    edges = [[box.page, box.left, box.top, box.right, box.bottom] for box in boxes]
    return _SHARED.ask(pack_request("highlighted", path, edges, note), unpack_pdf)


def _check_paged(path: str) -> None:
    if format_of(path).name != _PAGED:
        raise IngestError("a file of this format has no pages to show")


def _stretches(document: Source, start: int, end: int) -> list[tuple[int, str, int, int]]:
    """Return for each page of a stretch: page, its text, start and end in this text."""
    starts = document.page_starts
    found = []
    for page in range(max(1, bisect_right(starts, start)), len(starts) + 1):
        first = starts[page - 1]
        last = starts[page] if page < len(starts) else document.length
        if first >= end:
            break
        if first < last:
            text = document.slice(first, last)
            found.append((page, text, max(0, start - first), min(end, last) - first))
    return found


class _Shared:
    """The worker of this process, and the texts that were read for want of an index's."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)  # the worker is the parent's
        atexit.register(self._close)

    def _forget(self) -> None:
        self._lock = Lock()  # over the two below
        self._worker: WorkerProcess | None = None
        self._kept: OrderedDict[tuple[str, int, int], Document] = OrderedDict()

    def ask(self, request: bytes, unpack: Callable[[Header, bytearray], T]) -> T:
        with self._lock:
            return self._ready().ask(request, unpack)

    def document(self, path: str) -> Document:
        """Return a file's document, read anew if the file has changed."""
        try:
            status = Path(path).stat()
        except OSError as error:
            raise IngestError(os_reason(error)) from error
        key = (path, status.st_size, status.st_mtime_ns)
        with self._lock:
            if key not in self._kept:
                document = self._ready().load(path)
                self._kept[path, document.size, document.mtime_ns] = document
                while len(self._kept) > 1 and (
                    len(self._kept) > _MOST_KEPT
                    or sum(kept.length for kept in self._kept.values()) > _MOST_CHARS_KEPT
                ):
                    self._kept.popitem(last=False)
                return document
            self._kept.move_to_end(key)
            return self._kept[key]

    def _ready(self) -> WorkerProcess:
        if self._worker is not None and not self._worker.usable:
            self._close()
        if self._worker is None:
            try:
                self._worker = WorkerProcess(_LIMITS)
            except OSError as error:
                reason = f"no process could be started to read it: {os_reason(error)}"
                raise IngestError(reason, passing=True) from error
        return self._worker

    def _close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


_SHARED = _Shared()
