"""Pages of PDF files as pictures, and the boxes of answers on them; both are kept for a while.

The files are only opened by the fenced processes of :mod:`docqa.ingest.places`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from docqa.errors import IngestError
from docqa.ingest.document import Source
from docqa.ingest.errors import os_reason

_Value = TypeVar("_Value")

# Pictures come in widths of whole steps, so that few are made of each page.
_STEP = 50
NARROWEST, WIDEST = 100, 2_400
_BOXES_KEPT = 10_000


class Kept(Generic[_Value]):
    """Values that are made once and kept while there is room; the oldest go first.

    Two threads that want the same value at once make it once.

    Args:
        room: what all values together may weigh.
        weigh: returns what a value weighs.
    """

    def __init__(self, room: int, weigh: Callable[[_Value], int]) -> None:
        self._room = room
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._turn = threading.Lock()

    @property
    def weight(self) -> int:
        """What all values weigh."""
        return self._weight

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """Return a value, making it where it is missing."""
        with self._turn:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._turn:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
                with self._turn:
                    self._keep(key, value)
            finally:
                with self._turn:
                    self._making.pop(key, None)
        return value

    def _keep(self, key: Hashable, value: _Value) -> None:
        weight = self._weigh(value)
        if weight > self._room:
            return
        self._values[key] = value
        self._weight += weight
        while self._weight > self._room:
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)


class Pictures:
    """Pages and boxes of the index's PDF files.

    A file is known by its path and its state (size and time), so that a file that has changed is
    looked at again.

    Args:
        room: bytes of pictures that are kept.
    """

    def __init__(self, room: int) -> None:
        self._places: Any = (
            import_module("docqa.ingest.places") if find_spec("docqa.ingest.places") else None
        )
        self._pictures = Kept[bytes](room, len)
        self._sizes = Kept[tuple[float, float]](_BOXES_KEPT, lambda _: 1)
        self._boxes = Kept[list[dict[str, Any]]](_BOXES_KEPT, lambda boxes: 1 + len(boxes))

    @property
    def weight(self) -> int:
        """How many bytes of pictures are kept."""
        return self._pictures.weight

    def page(self, path: str, page: int, width: int) -> bytes:
        """Return a page as a PNG.

        Args:
            page: from 1.
            width: in pixels; rounded up to a whole step.

        Raises:
            IngestError: there is no such page, or it can't be shown.
        """
        width = -(-width // _STEP) * _STEP
        return self._pictures.get(
            (path, _state(path), page, width), lambda: self._need().render_page(path, page, width)
        )

    def size(self, path: str, page: int) -> tuple[float, float]:
        """Return the width and height of a page in points.

        Raises:
            IngestError: there is no such page, or it can't be read.
        """
        return self._sizes.get(
            (path, _state(path), page), lambda: self._need().page_size(path, page)
        )

    def boxes(self, path: str, start: int, end: int, source: Source | None) -> list[dict[str, Any]]:
        """Return the boxes of a stretch of a document's text; none where they can't be had.

        Args:
            source: the document as the index has it; without it the whole file is read.
        """

        def find() -> list[dict[str, Any]]:
            return [asdict(box) for box in self._need().boxes(path, start, end, source=source)]

        try:
            return self._boxes.get((path, _state(path), start, end), find)
        except IngestError:
            return []

    def _need(self) -> Any:
        if self._places is None:
            raise IngestError("this installation can't show pages")
        return self._places


def _state(path: str) -> tuple[int, int]:
    """Return what tells a file from a later one under its name.

    Raises:
        IngestError: there is none.
    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise IngestError(os_reason(error)) from error
    return status.st_size, status.st_mtime_ns
