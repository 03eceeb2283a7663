"""What a worker and its parent say to each other: a line of JSON, then a text or a picture.

No pickles: whatever a document does to the worker that reads it, all that reaches the parent is
numbers and text, and each of them is checked here. Paths with undecodable bytes survive, as JSON
escapes lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NoReturn

from docqa.ingest.archives import Listing
from docqa.ingest.box import Box
from docqa.ingest.document import Document, Heading, LoadLimits
from docqa.ingest.errors import IngestError, PictureError
from docqa.ingest.formats import FORMATS

_FORMATS = frozenset(format.name for format in FORMATS)
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_WORDS = 2000  # characters in a title, a heading, a gap or an error
_MOST_INTEGER = 2**63 - 1  # as SQLite keeps them
_MOST_LEVEL = 100
_MOST_THOUSANDTHS = 10**9
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Header:
    """The line that begins a reply.

    Attributes:
        bytes: how long the body is that follows.
        last: whether the worker leaves after this reply.
        fields: all that the line says.
    """

    bytes: int
    last: bool
    fields: dict[str, object]


def pack_limits(limits: LoadLimits) -> str:
    """Return limits as a worker takes them on its command line."""
    return json.dumps(asdict(limits))


def unpack_limits(packed: str) -> LoadLimits:
    """Return the limits on a worker's command line."""
    return LoadLimits(**json.loads(packed))


def pack_request(task: str, path: str, *arguments: object) -> bytes:
    """Return a request.

    Args:
        task: the name of one of the worker's tasks.
        path: of the file that it is about.
        arguments: of the task, as JSON has them.
    """
    return json.dumps([task, path, *arguments]).encode("ascii") + b"\n"


def unpack_request(line: bytes) -> tuple[str, str, list[Any]]:
    """Return the task, the path and the task's arguments."""
    task, path, *arguments = json.loads(line)
    return task, path, arguments


def pack_boxes(boxes: Sequence[Box], last: bool) -> tuple[bytes, bytes]:
    """Return the reply that holds boxes: its header and its empty body."""
    edges = [
        [box.page, *map(_thousandths, (box.left, box.top, box.right, box.bottom))] for box in boxes
    ]
    return _packed({"bytes": 0, "last": last, "boxes": edges}), b""


def unpack_boxes(header: Header) -> list[Box]:
    """Return the boxes of a reply.

    Raises:
        IngestError: the reply gives a reason why there are none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    boxes = []
    for value in _list(header.fields.get("boxes")):
        page, *edges = _list(value)
        left, top, right, bottom = map(_points, edges)
        boxes.append(Box(_integer(page, 1, _MOST_INTEGER), left, top, right, bottom))
    return boxes


def pack_size(width: float, height: float, last: bool) -> tuple[bytes, bytes]:
    """Return the reply that holds a page's size in points: its header and its empty body."""
    size = [_thousandths(width), _thousandths(height)]
    return _packed({"bytes": 0, "last": last, "size": size}), b""


def unpack_size(header: Header) -> tuple[float, float]:
    """Return the size of a reply, in points.

    Raises:
        IngestError: the reply gives a reason why there is none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    width, height = map(_points, _list(header.fields.get("size")))
    return width, height


def pack_file(data: bytes, last: bool) -> tuple[bytes, bytes]:
    """Return the reply that holds a picture or a PDF: its header and its body."""
    return _packed({"bytes": len(data), "last": last}), data


def unpack_picture(header: Header, body: bytes | bytearray) -> bytes:
    """Return the picture of a reply.

    Raises:
        IngestError: the reply gives a reason why there is none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    if not body.startswith(_PNG):
        raise ValueError("no PNG")
    return bytes(body)


def unpack_pdf(header: Header, body: bytes | bytearray) -> bytes:
    """Return the PDF of a reply.

    Raises:
        IngestError: the reply gives a reason why there is none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    if b"%PDF-" not in body[:1024]:
        raise ValueError("no PDF")
    return bytes(body)


def pack_document(document: Document, last: bool) -> tuple[bytes, bytes]:
    """Return a reply's header and body. After its last reply a worker leaves."""
    body = document.text.encode("utf-8")
    header = {
        "bytes": len(body),
        "last": last,
        "format": document.format,
        "page_starts": document.page_starts,
        "sha256": document.sha256,
        "size": document.size,
        "mtime_ns": document.mtime_ns,
        "title": document.title,
        "outline": [[heading.text, heading.level, heading.start] for heading in document.outline],
        "gaps": document.gaps,
        "lines": document.lines,
        "pictures": document.pictures,
    }
    return _packed(header), body


def pack_listing(listing: Listing, last: bool) -> tuple[bytes, bytes]:
    """Return the reply that holds an archive's members: its header and its empty body."""
    return _packed(
        {"bytes": 0, "last": last, "members": listing.members, "gaps": listing.gaps}
    ), b""


def pack_error(
    error: str, last: bool, passing: bool = False, pictures: int = 0
) -> tuple[bytes, bytes]:
    """Return the reply where there is no document: its header and its empty body."""
    header = {"bytes": 0, "last": last, "error": error, "passing": passing, "pictures": pictures}
    return _packed(header), b""


def unpack_header(line: bytes) -> Header:
    """Return what the first line of a reply says.

    Raises:
        ValueError: not such a line.
    """
    try:
        fields = json.loads(line, parse_float=_refuse, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("no header of a reply")
    return Header(
        bytes=_integer(fields.get("bytes"), 0, _MOST_INTEGER),
        last=_boolean(fields.get("last")),
        fields=fields,
    )


def unpack_document(path: str, header: Header, body: bytes | bytearray) -> Document:
    """Return the document of a reply.

    Nothing is taken on trust: what comes back is what :func:`docqa.ingest.load.load` could have
    made, whoever wrote the reply.

    Args:
        path: of the file that was asked for.
        header: the reply's first line.
        body: the text.

    Raises:
        PictureError: the file holds nothing but pictures.
        IngestError: the reply gives another reason why there is none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    fields = header.fields
    text = body.decode("utf-8")
    if "\0" in text:
        raise ValueError("a NUL in the text")
    lines = tuple(_line(value, len(text)) for value in _list(fields.get("lines")))
    _ascending(offset for offset, _ in lines)
    outline = tuple(_heading(value, len(text)) for value in _list(fields.get("outline")))
    _ascending(heading.start for heading in outline)
    return Document(
        path=path,
        format=_one_of(fields.get("format"), _FORMATS.__contains__),
        text=text,
        page_starts=_ascending(
            _integer(value, 0, len(text)) for value in _list(fields.get("page_starts"))
        ),
        sha256=_one_of(fields.get("sha256"), _SHA256.fullmatch),
        size=_integer(fields.get("size"), 0, _MOST_INTEGER),
        mtime_ns=_integer(fields.get("mtime_ns"), -_MOST_INTEGER, _MOST_INTEGER),
        title=None if fields.get("title") is None else _words(fields["title"]),
        outline=outline,
        gaps=tuple(_words(value) for value in _list(fields.get("gaps"))),
        lines=lines,
        pictures=_integer(fields.get("pictures"), 0, _MOST_INTEGER),
    )


def unpack_listing(header: Header) -> Listing:
    """Return the listing of a reply.

    Raises:
        IngestError: the reply gives a reason why there is none.
        ValueError: no such reply.
    """
    _raise_failure(header)
    fields = header.fields
    members = tuple(_member(value) for value in _list(fields.get("members")))
    if len(set(members)) < len(members):
        raise ValueError("a member twice")
    return Listing(members, tuple(_words(value) for value in _list(fields.get("gaps"))))


def _packed(header: dict[str, object]) -> bytes:
    return json.dumps(header).encode("ascii") + b"\n"


def _raise_failure(header: Header) -> None:
    fields = header.fields
    if "error" not in fields:
        return
    error, passing = _words(fields["error"]), _boolean(fields.get("passing"))
    if pictures := _integer(fields.get("pictures", 0), 0, _MOST_INTEGER):
        raise PictureError(error, pictures)
    raise IngestError(error, passing)


def _thousandths(points: float) -> int:
    """Return a length as a reply has it: numbers there are integers."""
    return round(1000 * points)


def _points(value: object) -> float:
    return _integer(value, -_MOST_THOUSANDTHS, _MOST_THOUSANDTHS) / 1000


def _member(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 2 * _MOST_WORDS or "\0" in value:
        raise ValueError("no path")
    if any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError("a path that leads outside")
    return value


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number[:20]} where a reply has integers only")


def _integer(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:  # a bool is an int to isinstance
        raise ValueError("an integer that is none, or out of its range")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("no list")
    return value


def _words(value: object) -> str:
    """Return words for people: on one line, and all of it can be shown."""
    if not isinstance(value, str) or len(value) > _MOST_WORDS or not value.isprintable():
        raise ValueError("no words")
    return value


def _one_of(value: object, is_right: Callable[[str], object]) -> str:
    if not isinstance(value, str) or not is_right(value):
        raise ValueError("another word than there can be")
    return value


def _heading(value: object, length: int) -> Heading:
    parts = _list(value)
    if len(parts) != 3:
        raise ValueError("no heading")
    text, level, start = parts
    return Heading(_words(text), _integer(level, 1, _MOST_LEVEL), _integer(start, 0, length))


def _line(value: object, length: int) -> tuple[int, int]:
    parts = _list(value)
    if len(parts) != 2:
        raise ValueError("no line")
    offset, line = parts
    return _integer(offset, 0, length), _integer(line, 1, _MOST_INTEGER)


def _ascending(numbers: Iterable[int]) -> tuple[int, ...]:
    ordered = tuple(numbers)
    if any(before > after for before, after in pairwise(ordered)):
        raise ValueError("out of order")
    return ordered
