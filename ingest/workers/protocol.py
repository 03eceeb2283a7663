"""What a worker and its parent say to each other: a line of JSON, then the text in UTF-8.

No pickles: whatever a document does to the worker that reads it, all that reaches the parent is
numbers and text, and each of them is checked here. Paths with undecodable bytes survive, as JSON
escapes lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import NoReturn

from docqa.ingest.archives import Listing
from docqa.ingest.document import Document, Failure, Heading, LoadLimits
from docqa.ingest.formats import FORMATS

_FORMATS = frozenset(format.name for format in FORMATS)
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_WORDS = 2000  # characters in a title, a heading, a gap or an error
_MOST_INTEGER = 2**63 - 1  # as SQLite keeps them
_MOST_LEVEL = 100


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


def pack_request(path: str, is_listing: bool) -> bytes:
    """Return a request to read one file, or to list an archive's members."""
    return json.dumps([path, is_listing]).encode("ascii") + b"\n"


def unpack_request(line: bytes) -> tuple[str, bool]:
    """Return the path, and whether an archive's members are to be listed."""
    path, is_listing = json.loads(line)
    return str(path), bool(is_listing)


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
    }
    return json.dumps(header).encode("ascii") + b"\n", body


def pack_listing(listing: Listing, last: bool) -> tuple[bytes, bytes]:
    """Return a reply's header and its empty body."""
    header = {"bytes": 0, "last": last, "members": listing.members, "gaps": listing.gaps}
    return json.dumps(header).encode("ascii") + b"\n", b""


def pack_error(error: str, last: bool, passing: bool = False) -> tuple[bytes, bytes]:
    """Return the reply where there is no document: its header and its empty body."""
    header = {"bytes": 0, "last": last, "error": error, "passing": passing}
    return json.dumps(header).encode("ascii") + b"\n", b""


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


def unpack_reply(path: str, header: Header, body: bytes | bytearray) -> Document | Failure:
    """Return the document of a reply, or the failure that there is instead.

    Nothing is taken on trust: what comes back is what :func:`docqa.ingest.load.load` could have
    made, whoever wrote the reply.

    Args:
        path: of the file that was asked for.
        header: the reply's first line.
        body: the text.

    Raises:
        ValueError: no such reply.
    """
    fields = header.fields
    if "error" in fields:
        return Failure(path, _words(fields["error"]), _boolean(fields.get("passing")))
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
    )


def unpack_listing(path: str, header: Header) -> Listing | Failure:
    """Return the listing of a reply, or the failure that there is instead.

    Raises:
        ValueError: no such reply.
    """
    fields = header.fields
    if "error" in fields:
        return Failure(path, _words(fields["error"]), _boolean(fields.get("passing")))
    members = tuple(_member(value) for value in _list(fields.get("members")))
    if len(set(members)) < len(members):
        raise ValueError("a member twice")
    return Listing(members, tuple(_words(value) for value in _list(fields.get("gaps"))))


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
